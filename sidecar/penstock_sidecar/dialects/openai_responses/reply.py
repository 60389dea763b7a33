"""Writes answers: named and numbered events, or a whole response."""

from collections.abc import Sequence

import orjson

from penstock_sidecar.dialects.dialect import Identity
from penstock_sidecar.dialects.events import Event
from penstock_sidecar.dialects.openai_responses.composer import Composer
from penstock_sidecar.model import JsonObject


class ResponsesWriter:
    """Of a stream."""

    def __init__(self, identity: Identity) -> None:
        self._composer = Composer(identity)
        self._number = 0

    def write(self, event: Event) -> bytes:
        return b"".join([self._event(said) for said in self._composer.events(event)])

    def _event(self, said: JsonObject) -> bytes:
        number, self._number = self._number, self._number + 1
        data = orjson.dumps({**said, "sequence_number": number})
        return b"event: " + str(said["type"]).encode() + b"\ndata: " + data + b"\n\n"


def write_response(events: Sequence[Event], identity: Identity) -> JsonObject:
    """What the stream of the same events would end with."""
    composer = Composer(identity)
    for event in events:
        for _ in composer.events(event):
            pass
    return composer.response()
