"""The embedder: what texts mean, and which kept text means the same. Sidecars ask it by HTTP.

app > http > answering > batching | library > encoding | index | redis > errors > settings

It knows nothing of requests, answers or policies: texts, names and shelves alone.
"""
