"""The commands of experiments, and what all commands have in common."""
