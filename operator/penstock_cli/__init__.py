"""The `penstock` command: resources on a laptop, without a cluster."""
