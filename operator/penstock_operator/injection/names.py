"""What the injector alone gives a name or a number in a pod: volumes, port, user."""

from typing import Final

DEFAULT_CONTAINER_ANNOTATION: Final = "kubectl.kubernetes.io/default-container"
PROBE_PORT_NAME: Final = "penstock-probe"
USER: Final = 41_414
"""User and group of the sidecar; uncommon, because no other container may have it."""

CONFIG_VOLUME: Final = "penstock-config"
CREDENTIALS_VOLUME: Final = "penstock-credentials"
POD_VOLUME: Final = "penstock-pod"
JOURNAL_VOLUME: Final = "penstock-journal"
VOLUMES: Final = (CONFIG_VOLUME, CREDENTIALS_VOLUME, POD_VOLUME, JOURNAL_VOLUME)
