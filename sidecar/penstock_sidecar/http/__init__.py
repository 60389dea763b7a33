"""The edge: HTTP in, types inside, HTTP out. Nothing else here knows how an answer is framed."""
