"""How else a model may be called: Ollama's clients take `llama3.2` for `llama3.2:latest`."""

from collections.abc import Iterator
from typing import Final

LATEST: Final = ":latest"


def spellings(name: str) -> Iterator[str]:
    """The name as it is, then the other way."""
    yield name
    if name.endswith(LATEST):
        yield name.removesuffix(LATEST)
    elif ":" not in name:
        yield name + LATEST
