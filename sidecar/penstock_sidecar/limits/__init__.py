"""Rate limits, concurrency and budgets, counted in one place for all sidecars."""
