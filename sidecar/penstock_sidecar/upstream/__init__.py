"""Providers: one call of one candidate, over HTTP, in the provider's dialect."""
