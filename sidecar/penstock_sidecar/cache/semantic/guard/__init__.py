"""Whether the words of two questions say that something else is meant. Pure; no I/O."""
