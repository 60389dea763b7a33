"""What well-known providers serve, charge and give away, as of a day."""
