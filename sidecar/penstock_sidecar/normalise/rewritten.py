"""A request whose document was changed here: what the stages know of it is worked out anew."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Protocol

import orjson

from penstock_sidecar.model import Api, JsonObject, Request
from penstock_sidecar.normalise.blocks import read_blocks
from penstock_sidecar.normalise.input_items import read_input
from penstock_sidecar.normalise.messages import read_messages
from penstock_sidecar.normalise.ollama import attached_to_chat, attached_to_prompt


class Given(Protocol):
    """What every dialect's reader finds."""

    @property
    def images(self) -> int: ...

    @property
    def audio(self) -> int: ...

    @property
    def inline_bytes(self) -> int: ...

    @property
    def text_only(self) -> bool: ...


READERS: Final[Mapping[Api, Callable[[JsonObject], Given]]] = {
    "openai-chat": read_messages,
    "openai-responses": read_input,
    "anthropic-messages": read_blocks,
    "anthropic-count-tokens": read_blocks,
    "ollama-chat": attached_to_chat,
    "ollama-generate": attached_to_prompt,
}
"""Of those requests that may hold pictures."""


def rewritten(request: Request, document: JsonObject) -> Request:
    """The same request with another document. Raises `MalformedRequest`."""
    given = READERS[request.api](document)
    return replace(
        request,
        document=document,
        body=orjson.dumps(document),
        images=given.images,
        audio=given.audio,
        inline_bytes=given.inline_bytes,
        text_only=given.text_only,
    )
