"""Providers that speak OpenAI's chat completions, whoever they are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from yarl import URL

from penstock_config.provider import Provider
from penstock_sidecar.model import Answer
from penstock_sidecar.upstream.base import Call
from penstock_sidecar.upstream.chunks import Ready
from penstock_sidecar.upstream.hints import visible_headers
from penstock_sidecar.upstream.openai_answer import Expected, OpenAiStream, plain_chunk
from penstock_sidecar.upstream.openai_request import chat_body
from penstock_sidecar.upstream.wire import Wire

CHAT_PATH: Final = "/chat/completions"
"""Below a base URL that ends in `/v1` or the like."""

OPENAI_HOSTS: Final = (".openai.com", ".openai.azure.com")


class OpenAiUpstream:
    """Passes the caller's body on and the provider's bytes back."""

    def __init__(self, provider: Provider, wire: Wire) -> None:
        self._wire = wire
        self._limit_field = limit_field(provider.base_url)

    @asynccontextmanager
    async def call(self, call: Call) -> AsyncIterator[Answer]:
        request = call.request
        body = chat_body(call, self._limit_field)
        label = call.candidate.label
        async with self._wire.post(body, label, stream=request.stream) as incoming:
            headers = visible_headers(incoming.headers)
            if request.stream:
                incoming.require("text/event-stream")
                expected = Expected(request.choices, request.usage_wanted)
                stream = OpenAiStream(incoming, self._wire.refusals, expected)
                yield Answer(stream, "text/event-stream", headers)
            else:
                incoming.require("application/json")
                whole = await plain_chunk(incoming, self._wire.refusals)
                yield Answer(Ready(whole), "application/json", headers)


def limit_field(base_url: str) -> str:
    """OpenAI's reasoning models refuse `max_tokens`, which is all that many others know."""
    host = f".{URL(base_url).host}"
    return "max_completion_tokens" if host.endswith(OPENAI_HOSTS) else "max_tokens"
