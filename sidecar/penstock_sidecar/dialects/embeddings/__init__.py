"""Embeddings: the dialects in which callers ask for vectors, and those in which providers answer.

Vectors come whole: nothing here is streamed.
"""
