"""How a tier orders the candidates that may serve: one module for each strategy."""
