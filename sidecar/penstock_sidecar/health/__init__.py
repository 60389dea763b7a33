"""Which models fail, as all sidecars know it, and who may try whether one works again.

faults -> breaker (decides: pure) -> breakers (what routing asks) -> sharing (Redis)
"""
