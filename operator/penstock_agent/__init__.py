"""The node agent: what NVML says of a node's GPUs, for the operator and for Prometheus."""
