"""AT20 to AT23 over every dialect that callers stream in, and every type of provider."""
