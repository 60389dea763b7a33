"""Prompts that are asked ahead of time: which there are, when they are due, what is said. Pure."""
