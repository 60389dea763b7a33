"""Where a request goes: its rule, its target, and the candidates that may serve it, in order."""
