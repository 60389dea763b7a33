"""From the events of a stream to the response: its last event holds all of it."""

from dataclasses import dataclass, field
from typing import Final

import orjson

from penstock_sidecar.cache.forms.form import NotUnderstood
from penstock_sidecar.cache.forms.pieces import Frames, object_in, require
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.model import JsonObject, Usage

COMPLETED: Final = "response.completed"
UNFIT: Final = frozenset({"response.incomplete", "response.failed", "response.cancelled", "error"})


@dataclass(slots=True)
class Assembly:
    """Events go in, one response comes out."""

    size_bytes: int = 0
    _frames: Frames = field(default_factory=lambda: Frames(SSE))
    _response: JsonObject | None = None

    def add(self, data: bytes) -> None:
        for event in self._frames.documents(data):
            self._add(event)

    def document(self, _: Usage) -> JsonObject:
        """A response says its own usage."""
        self._frames.end()
        if self._response is None:
            raise NotUnderstood
        return self._response

    def _add(self, event: JsonObject) -> None:
        require(self._response is None and event.get("type") not in UNFIT)
        if event.get("type") == COMPLETED:
            self._response = object_in(event.get("response"))
            self.size_bytes = len(orjson.dumps(self._response))
