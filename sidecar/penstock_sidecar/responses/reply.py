"""A reply that looks for the whole response in what goes by."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.openai_responses.answer import ENDS
from penstock_sidecar.model import JsonObject, Reply

Keep = Callable[[JsonObject], Awaitable[None]]
MARKS: Final = tuple(f'"{name}"'.encode() for name in ENDS)
"""Which of the events hold it, without a parse of all others."""


class Remembering:
    """A `Reply`. `keep` gets the response before the caller gets its last piece: whoever goes on
    from it at once finds it."""

    def __init__(self, inner: Reply, keep: Keep, *, stream: bool) -> None:
        self._inner = inner
        self._keep = keep
        self._stream = stream

    @property
    def left(self) -> bool:
        return self._inner.left

    def outlast(self, seconds: float | None) -> None:
        self._inner.outlast(seconds)

    async def start(self, content_type: str, headers: Mapping[str, str]) -> None:
        await self._inner.start(content_type, headers)

    async def send(self, data: bytes) -> None:
        response = _in_stream(data) if self._stream else _parsed(data)
        if response is not None:
            await self._keep(response)
        await self._inner.send(data)

    async def end(self) -> None:
        await self._inner.end()


def _in_stream(data: bytes) -> JsonObject | None:
    if not any(mark in data for mark in MARKS):
        return None
    for line in data.splitlines():
        event = _parsed(line.removeprefix(b"data:")) if line.startswith(b"data:") else None
        match event:
            case {"type": str(kind), "response": Mapping() as response} if kind in ENDS:
                return response
            case _:
                continue
    return None


def _parsed(data: bytes) -> JsonObject | None:
    try:
        document = parse(data)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
