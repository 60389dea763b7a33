"""Answers made before anybody asks for them."""
