"""Ollama's own protocol: translated both ways, since callers speak OpenAI's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from penstock_sidecar.clock import Clock
from penstock_sidecar.model import Answer
from penstock_sidecar.upstream.base import Call
from penstock_sidecar.upstream.chunks import Ready
from penstock_sidecar.upstream.hints import visible_headers
from penstock_sidecar.upstream.ollama_answer import Identity, OllamaStream, plain_chunk
from penstock_sidecar.upstream.ollama_request import ollama_body
from penstock_sidecar.upstream.wire import Wire

CHAT_PATH: Final = "/api/chat"


class OllamaUpstream:
    def __init__(self, wire: Wire, clock: Clock) -> None:
        self._wire = wire
        self._clock = clock

    @asynccontextmanager
    async def call(self, call: Call) -> AsyncIterator[Answer]:
        request = call.request
        identity = Identity(request.call_id, int(self._clock.utc()), request.usage_wanted)
        label = call.candidate.label
        body = ollama_body(call)
        async with self._wire.post(body, label, stream=request.stream) as incoming:
            headers = visible_headers(incoming.headers)
            if request.stream:
                incoming.require("application/x-ndjson")
                stream = OllamaStream(incoming, self._wire.refusals, identity)
                yield Answer(stream, "text/event-stream", headers)
            else:
                incoming.require("application/json")
                whole = await plain_chunk(incoming, self._wire.refusals, identity)
                yield Answer(Ready(whole), "application/json", headers)
