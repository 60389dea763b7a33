"""What the environment says, read once at start."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from penstock_operator.environment import Parser, SettingsError, port, seconds, told
from penstock_operator.logs import LEVELS
from penstock_operator.ollama.gpus import STALE

MAX_PERIOD_SECONDS: Final = STALE.total_seconds() / 3
"""So that two readings may fail before the last one is stale."""
MAX_HANG_SECONDS: Final = 3600
_NODE: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Settings:
    """Every field is `PENSTOCK_<FIELD>`. Port 0: any free one."""

    node_name: str = ""
    """The node that it runs on: `spec.nodeName` of its pod. Required."""
    namespace: str = "penstock-system"
    """Where its ConfigMap is: the release's."""
    pod_name: str = ""
    pod_uid: str = ""
    """With both, the ConfigMap belongs to the pod, and goes with it."""
    kubeconfig: Path | None = None
    """`None`: KUBECONFIG, else the service account, else `~/.kube/config`."""
    period_seconds: float = 5
    """Between two readings."""
    hang_seconds: float = 60
    """When NVML has not answered for so long, `/healthz` fails: a restart is all that helps."""
    probe_host: str = "0.0.0.0"  # noqa: S104  # the kubelet and Prometheus come from outside
    probe_port: int = 8080
    log_level: str = "info"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Reads and checks; `SettingsError` names the variable and what is expected."""
        settings = told(cls, environment, _PARSERS)
        settings.check()
        return settings

    def check(self) -> None:
        """`SettingsError` where a value is wrong by itself or beside the others."""
        if not self.node_name:
            msg = (
                "PENSTOCK_NODE_NAME is not set: expected the node that this runs on; "
                "a pod has it as the field spec.nodeName"
            )
            raise SettingsError(msg)
        if not _NODE.fullmatch(self.node_name):
            msg = f"PENSTOCK_NODE_NAME={self.node_name!r}: expected the name of a node"
            raise SettingsError(msg)
        if self.log_level not in LEVELS:
            msg = f"PENSTOCK_LOG_LEVEL={self.log_level!r}: expected one of {', '.join(LEVELS)}"
            raise SettingsError(msg)


_PARSERS: Final[Mapping[object, Parser]] = {
    int: port,
    "period_seconds": seconds(MAX_PERIOD_SECONDS),
    "hang_seconds": seconds(MAX_HANG_SECONDS),
}
