"""What a scenario says as the core takes it, a file a concept."""
