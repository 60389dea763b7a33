"""What well-known providers charge, as of a day."""
