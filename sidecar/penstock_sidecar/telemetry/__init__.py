"""What the sidecar says of itself: metrics and logs. Nobody else knows Prometheus."""
