"""The data models of what a scenario may say, a file a concept."""
