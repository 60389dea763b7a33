"""Custom resources in, sidecar configuration and problems out. Pure: no I/O, no clock."""
