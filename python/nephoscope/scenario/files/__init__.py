"""A file as plain values that know their place, and columns of data files."""
