"""From a caller's bytes to a `Request`, dialect by dialect."""
