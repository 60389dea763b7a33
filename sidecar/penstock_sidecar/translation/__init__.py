"""What translation keeps, drops, alters and refuses, as the tables of the dialects say it."""
