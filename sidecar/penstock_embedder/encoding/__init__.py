"""Texts into vectors. Of all tensor libraries only `sentences` knows torch."""
