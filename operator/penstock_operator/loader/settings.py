"""What the loader's environment says, read once at start. Which models comes from `models.json`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from penstock_operator.ollama.names import LOADER_PORT, OLLAMA_PORT
from penstock_operator.settings import SettingsError

PREFIX = "PENSTOCK_LOADER_"
MAX_PORT = 65_535
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
        values: dict[str, object] = {}
        for name, kind in cls.__annotations__.items():
            variable = f"{PREFIX}{name.upper()}"
            if text := environment.get(variable, "").strip():
                values[name] = _parsed(variable, text, kind)
        settings = cls(**values)  # type: ignore[arg-type]  # each was made by its field's type
        _check_url(settings.ollama_url)
        return settings


def _parsed(variable: str, text: str, kind: object) -> object:
    if kind is Path:
        return Path(text)
    if kind is int:
        return _port(variable, text)
    return _seconds(variable, text) if kind is float else text


def _port(variable: str, text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_PORT:
        msg = f"{variable}={text!r}: expected a port"
        raise SettingsError(msg)
    return int(text)


def _seconds(variable: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= MAX_SECONDS:
        msg = f"{variable}={text!r}: expected seconds, more than 0 and at most {MAX_SECONDS}"
        raise SettingsError(msg)
    return seconds


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        msg = f"{PREFIX}OLLAMA_URL: expected http://host:port"
        raise SettingsError(msg)
