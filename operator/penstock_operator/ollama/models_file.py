"""What a placement group's loader is told: `models.json` of the ConfigMap `<group>-models`.

Changes of it need no restart. Readers skip what they do not know.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class _Told(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True
    )


class CreateRequest(_Told):
    """The body of Ollama's `POST /api/create`, but for `model` and `stream`."""

    from_: str | None = None
    adapter_path: str | None = None
    """A file that the loader uploads as a blob first."""
    gguf_path: str | None = None
    """As `adapter_path`: the weights."""
    parameters: tuple[tuple[str, str], ...] = ()
    """As text, which the loader types: Ollama takes numbers as numbers, and `stop` as a list."""
    system: str | None = None
    template: str | None = None


class ModelOrder(_Told):
    """One model that the replica is to have."""

    name: str
    source: Literal["pull", "modelfile", "gguf"] = "pull"
    create: CreateRequest | None = None
    """With `modelfile` and `gguf`."""
    loaded: bool = True
    """Whether it is to be in memory before the replica is ready."""
    embeddings: bool = False
    """Loaded by `/api/embed`: such models generate nothing."""
    on_gpu: bool = True
    """Whether all of it must lie in GPU memory (`size_vram == size`)."""
    context_length: int = 4096


class ModelsFile(_Told):
    """All that a replica is to have; what else lies on its disk is garbage."""

    models: tuple[ModelOrder, ...]
    keep_alive_seconds: int | None = None
    """`None`: for ever."""
    pull_timeout_seconds: int = 6 * 3600
