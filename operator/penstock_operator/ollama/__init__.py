"""Models on the cluster's own GPUs: what they need, where they go, what runs them. Does no I/O."""
