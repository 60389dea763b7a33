"""From a pod to the patch that puts a sidecar into it, or to why there is none. Pure.

pod (what we look at) -> choices (the pod's annotations) -> refusals -> sidecar, environment
-> patch; `injector` puts them together. Knows no AdmissionReview and no API server.
"""
