"""What the loader's environment says, read once at start. Which models comes from `models.json`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from penstock_operator.environment import Parser, SettingsError, port, seconds, told
from penstock_operator.ollama.names import LOADER_PORT, OLLAMA_PORT

PREFIX = "PENSTOCK_LOADER_"
MAX_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class LoaderSettings:
    """Every field is `PENSTOCK_LOADER_<FIELD>`. Port 0: any free one."""

    models_file: Path = Path("/etc/penstock/models/models.json")
    """In a mounted directory, never by `subPath`: it is read again when it changes."""
    models_dir: Path = Path("/models")
    """The volume that Ollama keeps its models in: what adapters' paths begin at, and where the
    replicas of one volume agree on who pulls."""
    ollama_url: str = f"http://127.0.0.1:{OLLAMA_PORT}"
    host: str = "0.0.0.0"  # noqa: S104  # the kubelet and the operator come from outside
    port: int = LOADER_PORT
    look_seconds: float = 2
    """Between two looks at Ollama and at the file."""
    answer_seconds: float = 3
    """How long Ollama may take to say what it has."""
    retry_seconds: float = 2
    """After the first failure; twice as long after each further one, up to five minutes."""
    stall_seconds: float = 120
    """A pull that brings no byte for so long is begun again, where it stopped."""
    garbage_seconds: float = 300
    """How long a model has been in no order before it is deleted. Longer than a kubelet may take
    to bring a changed file to all pods of a shared volume."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Reads and checks; `SettingsError` names the variable and what is expected."""
        settings = told(cls, environment, _PARSERS, PREFIX)
        _check_url(settings.ollama_url)
        return settings


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        msg = f"{PREFIX}OLLAMA_URL: expected http://host:port"
        raise SettingsError(msg)


_PARSERS: Final[Mapping[object, Parser]] = {int: port, float: seconds(MAX_SECONDS)}
