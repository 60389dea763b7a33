"""Vectors in memory, and the search over them. Does no I/O."""
