"""What the environment says, read once at start. What may change comes from files."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Self, get_args

DEFAULT_BODY_BYTES = 10 * 1024 * 1024
FOREIGN = {
    "azure_authority_host": "AZURE_AUTHORITY_HOST",
    "azure_federated_token_file": "AZURE_FEDERATED_TOKEN_FILE",
}
"""Fields whose variables others name."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Ports of 0 are chosen by the system (tests, local mode)."""

    config_dir: Path = Path("/etc/penstock/config")
    credentials_dir: Path = Path("/etc/penstock/credentials")
    pod_info_dir: Path = Path("/etc/penstock/pod")
    """Downward API volume; its file `labels` changes with the pod's labels."""
    namespace: str = "default"
    pod_name: str = "local"
    pod_uid: str = ""
    """Names this sidecar's heartbeat; without one there is none."""
    app: str = ""
    """The owning workload; the pod's name where empty."""
    port: int = 4141
    """Applications, on 127.0.0.1 and ::1 only."""
    probe_host: str = "0.0.0.0"  # noqa: S104  # the kubelet and Prometheus come from outside
    probe_port: int = 4142
    admin_port: int = 4143
    """`/drain` and `/debug/*`, on loopback only."""
    max_body_bytes: int = DEFAULT_BODY_BYTES
    max_in_flight: int = 1000
    max_requests_per_second: float = 10_000
    """Beyond them, and a second's worth ahead, a request is refused at once; 0 is no bound."""
    drain_seconds: float = 25
    pulse_seconds: float = 15
    """A stream whose provider is silent so long says that it is alive; 0 is never."""
    embedder_deadline_seconds: float = 0.05
    """The longest that a request waits for it; then it goes on as if nothing were near."""
    redis_deadline_seconds: float = 0.05
    """Redis is taken to be away where it does not answer in time: a far one needs longer."""
    journal_dir: Path | None = None
    """Where settlements that Redis has not confirmed outlive the process; this sidecar's alone."""
    log_level: str = "info"
    azure_authority_host: str = "https://login.microsoftonline.com"
    """Who gives tokens of Microsoft Entra ID."""
    azure_federated_token_file: Path | None = None
    """The pod's own proof of identity to it."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """`PENSTOCK_<FIELD>`; a value that does not parse is a `ValueError` naming the variable.
        Names in `FOREIGN` are what Azure's workload identity sets."""
        values: dict[str, object] = {}
        for name, annotation in cls.__annotations__.items():
            kind = _present(annotation)
            variable = FOREIGN.get(name, f"PENSTOCK_{name.upper()}")
            if text := environment.get(variable):
                try:
                    values[name] = kind(text)
                except ValueError:
                    msg = f"{variable}={text!r}: expected {kind.__name__}"
                    raise ValueError(msg) from None
        return cls(**values)  # type: ignore[arg-type]  # each value was made by its field's type


def _present(annotation: object) -> type:
    """`X` of `X | None`: a variable that is set is never nothing."""
    kinds = [kind for kind in get_args(annotation) or (annotation,) if kind is not NoneType]
    (kind,) = kinds
    assert isinstance(kind, type)  # noqa: S101  # the fields above have no other annotations
    return kind
