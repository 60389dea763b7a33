"""Names in a cluster by which parts of Penstock know one another: labels, annotations, objects.

Users and charts write them too: none of them ever changes.
"""

from typing import Final

INJECTION_LABEL: Final = "penstock.dev/injection"
"""Of a namespace: `enabled` gives a sidecar to each of its pods that does not say no."""
INJECT_LABEL: Final = "penstock.dev/inject"
"""Of a pod: `"true"` asks for a sidecar and is on every pod that has one; `"false"` refuses it."""
VERSION_LABEL: Final = "penstock.dev/sidecar-version"
"""Of a pod: the sidecar's release; stamped by the injector."""
INJECTED_ANNOTATION: Final = "penstock.dev/injected"
"""Of a pod, JSON: version, mode (native or container) and the container's name."""
MARK_ANNOTATION: Final = "penstock.dev/config"
"""Of a pod: the operator's touch; changing it makes the kubelet refresh the volumes at once."""
OVERRIDE_PREFIX: Final = "penstock.dev/"
"""Of the annotations by which a pod's people choose: `log-level`, `port`, ..."""
STATIC_ANNOTATION: Final = "kubernetes.io/config.mirror"
"""Of a static pod's image, by its kubelet: no webhook ever sees such a pod made."""
DIGEST_ANNOTATION: Final = "penstock.dev/digest"
"""Of what is published: the digest of the file in it."""
COMPONENT_LABEL: Final = "app.kubernetes.io/component"
CONFIG_MAP: Final = "penstock-config"
"""In each namespace, as is the Secret: what its sidecars are told."""
CREDENTIALS_SECRET: Final = "penstock-credentials"  # noqa: S105  # a name
CONTAINER: Final = "penstock"
"""The sidecar's, among a pod's containers or (native) its init containers."""
