"""What joins several keys of a scenario, on plain values, a file a concept."""
