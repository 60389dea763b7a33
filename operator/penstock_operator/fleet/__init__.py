"""What becomes of managed providers: what was seen of them, and what is said of it. Does no I/O."""
