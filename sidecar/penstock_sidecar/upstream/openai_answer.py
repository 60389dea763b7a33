"""Answers in OpenAI's dialect, read without changing a byte.

One thing is left out: the usage event that only we have asked for.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from penstock_sidecar.errors import StreamBroken, UpstreamGarbled
from penstock_sidecar.model import Chunk
from penstock_sidecar.upstream.document import parse
from penstock_sidecar.upstream.incoming import Source
from penstock_sidecar.upstream.refusal import Refusals
from penstock_sidecar.upstream.said import Said, said
from penstock_sidecar.upstream.splitter import SSE_END, EventTooLarge, Splitter
from penstock_sidecar.upstream.sse import DONE, DONE_EVENT, payload
from penstock_sidecar.upstream.usage import usage_of_openai

CONTENT_FILTER = "content_filter"
"""A finish that is an answer without text: the provider refuses."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the caller asked for."""

    choices: int
    usage_wanted: bool


class OpenAiStream:
    """Chunks of a stream, an event each; ends with `[DONE]`, or where all choices have finished."""

    def __init__(self, incoming: Source, refusals: Refusals, expected: Expected) -> None:
        self._incoming = incoming
        self._refusals = refusals
        self._expected = expected
        self._splitter = Splitter(SSE_END)
        self._finished: set[object] = set()
        self._ended = False

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        if self._ended:
            await self._incoming.drain()
            raise StopAsyncIteration
        event = await self._event()
        chunk = self._chunk(event) if event else self._without_done()
        if chunk.content:
            self._incoming.content_came()
        self._ended = chunk.end
        return chunk

    async def _event(self) -> bytes:
        """The next event; empty when the stream is over."""
        try:
            while (event := self._splitter.next()) is None:
                data = await self._incoming.read()
                if not data:
                    return self._last_event()
                self._splitter.feed(data)
        except EventTooLarge:
            raise StreamBroken(f"{self._incoming.label} sent an event beyond all bounds") from None
        return event

    def _last_event(self) -> bytes:
        """Some servers leave out the last blank line."""
        rest = self._splitter.rest().strip()
        self._splitter = Splitter(SSE_END)
        return rest + b"\n\n" if rest else b""

    def _chunk(self, event: bytes) -> Chunk:
        data = payload(event)
        if not data:
            return Chunk(event)
        if data == DONE:
            return Chunk(event, end=True)
        try:
            document = parse(data)
        except ValueError:
            raise StreamBroken(f"{self._incoming.label} sent an event that is not JSON") from None
        if not isinstance(document, dict):
            raise StreamBroken(f"{self._incoming.label} sent an event that is no object")
        if error := document.get("error"):
            raise self._refusals.in_band(self._incoming.label, error)
        return self._read(event, document)

    def _read(self, event: bytes, document: Mapping[str, object]) -> Chunk:
        choices = choices_of(document)
        usage = usage_of_openai(document.get("usage"))
        if usage and not choices:
            return Chunk(event if self._expected.usage_wanted else b"", usage=usage)
        size, content, finish = 0, False, None
        for choice in choices:
            spoken, finished = said(choice.get("delta")), finish_of(choice)
            size += spoken.text_bytes
            content |= spoken.answer or spoken.thinking or finished == CONTENT_FILTER
            if finished is not None:
                self._finished.add(choice.get("index"))
                finish = finish or finished
        return Chunk(event, content=content, text_bytes=size, usage=usage, finish=finish)

    def _without_done(self) -> Chunk:
        if len(self._finished) < self._expected.choices:
            raise StreamBroken(f"{self._incoming.label} ended its answer half-way")
        return Chunk(DONE_EVENT, end=True)


async def plain_chunk(incoming: Source, refusals: Refusals) -> Chunk:
    """A whole answer as one chunk, its bytes untouched."""
    body = await incoming.read_all()
    try:
        document = parse(body)
    except ValueError:
        raise UpstreamGarbled(f"{incoming.label} answered with what is not JSON") from None
    if isinstance(document, dict) and (error := document.get("error")):
        raise refusals.in_band(incoming.label, error)
    if not isinstance(document, dict) or not isinstance(document.get("choices"), list):
        raise UpstreamGarbled(f"{incoming.label} answered with what is no chat completion")
    choices = choices_of(document)
    finishes = [finish for choice in choices if (finish := finish_of(choice)) is not None]
    spoken: list[Said] = [said(choice.get("message")) for choice in choices]
    return Chunk(
        body,
        content=any(s.answer for s in spoken) or CONTENT_FILTER in finishes,
        text_bytes=sum(s.text_bytes for s in spoken),
        usage=usage_of_openai(document.get("usage")),
        finish=finishes[0] if finishes else None,
        end=True,
    )


def choices_of(document: Mapping[str, object]) -> list[Mapping[str, object]]:
    choices = document.get("choices")
    return [c for c in choices if isinstance(c, dict)] if isinstance(choices, list) else []


def finish_of(choice: Mapping[str, object]) -> str | None:
    finish = choice.get("finish_reason")
    return finish if isinstance(finish, str) else None
