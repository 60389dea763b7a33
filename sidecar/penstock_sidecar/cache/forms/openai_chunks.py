"""From the chunks of OpenAI's streams to one answer, whatever their choices hold."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from penstock_sidecar.cache.forms.pieces import (
    DROPPED,
    FIRST_SEEN,
    Frames,
    agree,
    keep,
    list_in,
    object_in,
    openai_usage,
    part,
    require,
)
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.model import JsonObject, Usage


class Choice(Protocol):
    """Pieces of one choice go in, the whole comes out."""

    def add(self, choice: JsonObject) -> int:
        """Says how many characters came to be held of it. Raises `NotUnderstood`."""

    def document(self, index: int) -> dict[str, object]:
        """All of it."""


@dataclass(slots=True)
class Chunks:
    """Chunks go in, one answer comes out."""

    _begun: Callable[[], Choice]
    _kinds: tuple[str, str] | None = None
    """`object` of a chunk and that of the answer. None: what chunks say holds for both."""
    size_bytes: int = 0
    _frames: Frames = field(default_factory=lambda: Frames(SSE))
    _fields: dict[str, object] = field(default_factory=dict)
    _choices: dict[int, Choice] = field(default_factory=dict)
    _usage: object = None

    def add(self, data: bytes) -> None:
        for chunk in self._frames.documents(data):
            self._add(chunk)

    def document(self, usage: Usage) -> dict[str, object]:
        self._frames.end()
        return {
            **self._fields,
            **({"object": self._kinds[1]} if self._kinds else {}),
            "choices": [self._choices[index].document(index) for index in sorted(self._choices)],
            "usage": self._usage or openai_usage(usage),
        }

    def _add(self, chunk: JsonObject) -> None:
        for name, value in chunk.items():
            match name:
                case "choices":
                    for choice in map(object_in, list_in(value)):
                        self.size_bytes += part(self._choices, choice, self._begun).add(choice)
                case "usage":
                    self._usage = value or self._usage
                case "object" if self._kinds:
                    require(value == self._kinds[0])
                case "error":
                    require(not value)
                case _:
                    self._add_field(name, value)

    def _add_field(self, name: str, value: object) -> None:
        if name in FIRST_SEEN:
            keep(self._fields, name, value)
        elif name not in DROPPED:
            agree(self._fields, name, value)
