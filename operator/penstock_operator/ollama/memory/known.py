"""Well-known models by Ollama's names: `known_models.json` beside this file.

`published` is there for tests and documentation: no estimate reads it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from pydantic import TypeAdapter

from penstock_operator.ollama.memory.architecture import Architecture
from penstock_operator.ollama.memory.names import LATEST, SaidByName

FILE: Final = "known_models.json"
_GGUF: Final = "gguf"
_JOINTS: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Published:
    """How large a file is said to be, by somebody else."""

    quantisation: str
    megabytes: float
    """Of 10^6 bytes, as precisely as it is written there."""
    source: str


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A row: models that differ in their training alone are in the same one."""

    names: tuple[str, ...]
    """`<family>:<tag>`; of longer tags the beginning: `llama3.1:8b` is `8b-instruct-q4_0` too."""
    quantisation: str
    """Of these tags."""
    model: Architecture
    published: tuple[Published, ...] = ()


@cache
def known_models() -> tuple[KnownModel, ...]:
    """All rows, in the file's order."""
    text = files(__package__).joinpath(FILE).read_bytes()
    return TypeAdapter(tuple[KnownModel, ...]).validate_json(text)


def find_known(said: SaidByName) -> KnownModel | None:
    """By the tag's size, else by its first word, else as `latest`; a tag that names another size
    is another model."""
    rows = _by_name()
    found = (rows[name] for name in _spellings(said) if name in rows)
    return next(found, None)


def find_alike(said: SaidByName) -> KnownModel | None:
    """By the beginning of a file's name, or of a repository's of such files, which are called after
    their model: `Meta-Llama-3.1-8B-Instruct-GGUF`. Of what else is called so nothing is known."""
    own = said.family.rpartition("/")[2]
    if _GGUF not in own:
        return None
    plain = _JOINTS.sub("", own.removeprefix("meta-"))
    found = (row for name, row in _by_plain_name().items() if plain.startswith(name))
    return next(found, None)


@cache
def _by_plain_name() -> Mapping[str, KnownModel]:
    """Longest first; with a size in them, as `mistral` alone begins the names of many."""
    names = {
        _JOINTS.sub("", name): row
        for name, row in _by_name().items()
        if not name.endswith(f":{LATEST}")
    }
    return dict(sorted(names.items(), key=lambda item: -len(item[0])))


@cache
def _by_name() -> Mapping[str, KnownModel]:
    return {name: row for row in known_models() for name in row.names}


def _spellings(said: SaidByName) -> Iterator[str]:
    yield f"{said.family}:{said.tag}"
    if said.size is not None:
        yield f"{said.family}:{said.size}"
        return
    yield f"{said.family}:{said.tag.split('-')[0]}"
    yield f"{said.family}:{LATEST}"
