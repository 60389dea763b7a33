"""What the injector calls things in a pod: labels, annotations, container, volumes."""

from typing import Final

INJECT_LABEL: Final = "penstock.dev/inject"
"""`"true"` asks for a sidecar and is on every pod that has one; `"false"` refuses it."""
VERSION_LABEL: Final = "penstock.dev/sidecar-version"
INJECTED_ANNOTATION: Final = "penstock.dev/injected"
"""JSON: version, mode (native or container) and the container's name."""
OVERRIDE_PREFIX: Final = "penstock.dev/"
DEFAULT_CONTAINER_ANNOTATION: Final = "kubectl.kubernetes.io/default-container"
MIRROR_ANNOTATION: Final = "kubernetes.io/config.mirror"

CONTAINER: Final = "penstock"
PROBE_PORT_NAME: Final = "penstock-probe"
USER: Final = 41_414
"""User and group of the sidecar; uncommon, because no other container may have it."""

CONFIG_VOLUME: Final = "penstock-config"
CREDENTIALS_VOLUME: Final = "penstock-credentials"
POD_VOLUME: Final = "penstock-pod"
JOURNAL_VOLUME: Final = "penstock-journal"
VOLUMES: Final = (CONFIG_VOLUME, CREDENTIALS_VOLUME, POD_VOLUME, JOURNAL_VOLUME)
CONFIG_MAP: Final = "penstock-config"
CREDENTIALS_SECRET: Final = "penstock-credentials"  # noqa: S105  # a name
