"""Results and scenarios as people read them."""
