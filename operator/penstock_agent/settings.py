"""What the environment says, read once at start."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from penstock_operator.logs import LEVELS
from penstock_operator.ollama.gpus import STALE

MAX_PORT: Final = 65_535
MAX_PERIOD_SECONDS: Final = STALE.total_seconds() / 3
"""So that two readings may fail before the last one is stale."""
MAX_HANG_SECONDS: Final = 3600
_NODE: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


class SettingsError(ValueError):
    """A variable is missing or wrong; the text names it."""


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
        values: dict[str, object] = {}
        for name, kind in cls.__annotations__.items():
            variable = f"PENSTOCK_{name.upper()}"
            if text := environment.get(variable, "").strip():
                parse = _PARSERS.get(name) or _PARSERS.get(kind)
                values[name] = parse(variable, text) if parse else text
        settings = cls(**values)  # type: ignore[arg-type]  # each was made by its field's type
        settings._check()
        return settings

    def _check(self) -> None:
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


def _port(variable: str, text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_PORT:
        msg = f"{variable}={text!r}: expected a port"
        raise SettingsError(msg)
    return int(text)


def _seconds(at_most: float) -> Callable[[str, str], float]:
    def parse(variable: str, text: str) -> float:
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0
        if not 0 < seconds <= at_most:
            msg = f"{variable}={text!r}: expected seconds, more than 0 and at most {at_most:g}"
            raise SettingsError(msg)
        return seconds

    return parse


_PARSERS: Final[Mapping[object, Callable[[str, str], object]]] = {
    int: _port,
    Path | None: lambda _, text: Path(text),
    "period_seconds": _seconds(MAX_PERIOD_SECONDS),
    "hang_seconds": _seconds(MAX_HANG_SECONDS),
}
