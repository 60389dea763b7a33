"""How a model is made: the body of `POST /api/create`, from an order and the files it names. Pure
but for `stamp`, which looks at files' sizes and times."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from penstock_operator.loader.errors import Unusable
from penstock_operator.loader.naming import is_path
from penstock_operator.ollama.models_file import CreateRequest, ModelOrder

WHOLE: Final = frozenset(
    {
        "num_ctx",
        "num_batch",
        "num_gpu",
        "main_gpu",
        "num_thread",
        "draft_num_predict",
        "num_keep",
        "seed",
        "num_predict",
        "top_k",
        "repeat_last_n",
    }
)
FRACTION: Final = frozenset(
    {
        "top_p",
        "min_p",
        "typical_p",
        "temperature",
        "repeat_penalty",
        "presence_penalty",
        "frequency_penalty",
    }
)
TRUTH: Final = frozenset({"use_mmap"})
SEVERAL: Final = frozenset({"stop"})
"""`Options` and `Runner` in `api/types.go` of ollama/ollama: names and types."""
OF_A_MODEL: Final = (".gguf", ".safetensors", ".json", ".model", ".txt", ".bin")
"""What is taken of a directory."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Files by the name that Ollama is told, which has to be relative."""

    model: str
    base: str | None
    files: Mapping[str, Path]
    adapters: Mapping[str, Path]
    request: CreateRequest

    def body(self, digests: Mapping[Path, str]) -> Mapping[str, object]:
        """`digests` are those of its files, `sha256:...`, which are uploaded before."""
        said: dict[str, object] = {"model": self.model}
        if self.base is not None:
            said["from"] = self.base
        for field, files in (("files", self.files), ("adapters", self.adapters)):
            if files:
                said[field] = {name: digests[path] for name, path in files.items()}
        if parameters := typed(self.request.parameters):
            said["parameters"] = parameters
        for field in ("system", "template"):
            if (text := getattr(self.request, field)) is not None:
                said[field] = text
        return said

    @property
    def paths(self) -> Sequence[Path]:
        return tuple(sorted({*self.files.values(), *self.adapters.values()}))


def base_of(order: ModelOrder) -> str | None:
    """The model that another one is made from, which is needed as long as that is."""
    source = order.create.from_ if order.create is not None else None
    return None if source is None or is_path(source) else source


def recipe(order: ModelOrder, models_dir: Path) -> Recipe:
    """Raises `Unusable`: a file is not there, or nothing is said of what it is made from."""
    request = order.create
    if request is None:
        msg = f"{order.name}: source {order.source} without `create`"
        raise Unusable(msg)
    base, weights = base_of(order), request.gguf_path
    if base is None and weights is None:
        weights = request.from_
    if base is None and weights is None:
        msg = f"{order.name}: neither a model nor a file is named to make it from"
        raise Unusable(msg)
    return Recipe(
        model=order.name,
        base=base,
        files={} if weights is None else files_at(models_dir / weights),
        adapters={}
        if request.adapter_path is None
        else files_at(models_dir / request.adapter_path),
        request=request,
    )


def files_at(path: Path) -> Mapping[str, Path]:
    """A file, or those of a directory that Ollama makes a model of."""
    if path.is_file():
        return {path.name: path}
    found = {
        each.name: each
        for each in sorted(path.glob("*"))
        if each.is_file() and each.suffix in OF_A_MODEL
    }
    if not found:
        msg = f"{path}: there is no such file"
        raise Unusable(msg)
    return found


def stamp(made: Recipe) -> str:
    """Changes with the order and with its files, as far as sizes and times tell."""
    digest = hashlib.sha256(made.request.model_dump_json().encode())
    for path in made.paths:
        try:
            found = os.stat(path)
        except OSError as error:
            msg = f"{path}: {error.strerror}"
            raise Unusable(msg) from error
        digest.update(f"\0{path}\0{found.st_size}\0{found.st_mtime_ns}".encode())
    return digest.hexdigest()


def typed(parameters: Iterable[tuple[str, str]]) -> Mapping[str, object]:
    """As Ollama reads PARAMETER lines: the first of a name counts, but all of `stop`."""
    found: dict[str, object] = {}
    stops: list[str] = []
    for name, text in parameters:
        if name in SEVERAL:
            stops.append(text)
            found[name] = stops
        else:
            found.setdefault(name, _value(name, text))
    return found


def _value(name: str, text: str) -> object:
    try:
        if name in WHOLE:
            return int(text)
        if name in FRACTION:
            return float(text)
    except ValueError as error:
        msg = f"parameter {name}: {text!r} is no number"
        raise Unusable(msg) from error
    if name in TRUTH:
        return text.strip().lower() in {"1", "t", "true"}
    return text
