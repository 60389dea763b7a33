"""How a fake Ollama behaves: what the real one's environment says, and how fast and large it is.

By its beginning a model's name says what goes wrong with it:

| begins with | |
|---|---|
| `missing` | the registry does not know it |
| `leaky` | the pull fails with an address that holds a login and a signature |
| `slow` | the pull takes ten times as long |
| `stuck` | the first pull stands still halfway |
| `cut` | the first pull loses its connection halfway |
| `full` | there is no space left, until something is deleted |
| `broken` | it cannot be loaded |

What has `embed` in its name makes embeddings alone. The tag says how large it is: `8b`, `135m`.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

BYTES_PER_PARAMETER: Final = 0.6
"""Of Q4_K_M, about."""
DEFAULT_PARAMETERS: Final = 1e9
UNITS: Final = {"m": 1e6, "b": 1e9}
FOREVER: Final = float("inf")
DURATION_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Script:
    """Of one server."""

    models_dir: Path
    keep_alive_seconds: float = 300
    max_loaded_models: int = 3
    parallel: int = 1
    max_queue: int = 512
    context_length: int = 4096
    vram_bytes: int = 24 * 1024**3
    """Of all its GPUs; 0: none, it works on the CPU."""
    pull_seconds: float = 0.1
    load_seconds: float = 0.05
    answer_seconds: float = 0.0
    ps_waits: bool = True
    """Whether `/api/ps` answers only when nothing loads, as the servers of 2026 do."""
    waits_for_room: bool = False
    """Whether a load, and all requests behind it, waits for models that answer, as the real one
    does; else it is loaded beside them."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """OLLAMA_... as the real one, FAKE_... for the rest."""
        said = environment.get
        return cls(
            models_dir=Path(said("OLLAMA_MODELS", "/root/.ollama/models")),
            keep_alive_seconds=seconds_of(said("OLLAMA_KEEP_ALIVE", "5m")),
            max_loaded_models=int(said("OLLAMA_MAX_LOADED_MODELS", "3")) or 3,
            parallel=int(said("OLLAMA_NUM_PARALLEL", "1")) or 1,
            max_queue=int(said("OLLAMA_MAX_QUEUE", "512")),
            context_length=int(said("OLLAMA_CONTEXT_LENGTH", "4096")) or 4096,
            vram_bytes=int(said("FAKE_VRAM_MIB", "24576")) * 1024**2,
            pull_seconds=float(said("FAKE_PULL_SECONDS", "2")),
            load_seconds=float(said("FAKE_LOAD_SECONDS", "1")),
            answer_seconds=float(said("FAKE_ANSWER_SECONDS", "0")),
        )


def size_of(name: str) -> int:
    """Bytes of its weights."""
    found = re.search(r"([0-9.]+)([mb])(?:$|[^a-z])", name.partition(":")[2].lower())
    count = float(found[1]) * UNITS[found[2]] if found else DEFAULT_PARAMETERS
    return int(count * BYTES_PER_PARAMETER)


def seconds_of(value: object) -> float:
    """Of `keep_alive`: a number of seconds, or a duration as Go writes it; below 0 is for ever."""
    if isinstance(value, str):
        signed = re.fullmatch(r"-?[0-9.]+", value)
        parts = re.findall(r"(-?[0-9.]+)(ms|s|m|h)", value)
        seconds = float(value) if signed else sum(float(n) * DURATION_UNITS[u] for n, u in parts)
    else:
        seconds = float(str(value))
    return FOREVER if seconds < 0 else seconds


def full_name(name: str) -> str:
    """As Ollama lists it."""
    short = name.removeprefix("registry.ollama.ai/").removeprefix("library/")
    return short if ":" in short.rpartition("/")[2] else f"{short}:latest"
