"""Who asks: the caller of a request, narrowed from the pod to a user."""
