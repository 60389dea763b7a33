"""Answers kept, and given again: only whole ones, only to whom they may go."""
