"""Ollama's answers in OpenAI's shapes: lines become events, durations are dropped."""

from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from penstock_sidecar.errors import StreamBroken, UpstreamUnavailable
from penstock_sidecar.model import Chunk, Usage
from penstock_sidecar.upstream.document import parse
from penstock_sidecar.upstream.incoming import Source
from penstock_sidecar.upstream.refusal import Refusals
from penstock_sidecar.upstream.said import said
from penstock_sidecar.upstream.splitter import LINE_END, EventTooLarge, Splitter
from penstock_sidecar.upstream.sse import DONE_EVENT
from penstock_sidecar.upstream.usage import usage_of_ollama

ROLE: Final = {"role": "assistant", "content": ""}


@dataclass(frozen=True, slots=True)
class Identity:
    """What every piece of one answer repeats."""

    call_id: str
    created: int
    """Seconds since 1970-01-01 UTC."""
    usage_wanted: bool

    def head(self, kind: str, line: Mapping[str, object]) -> dict[str, object]:
        return {
            "id": f"chatcmpl-{self.call_id}",
            "object": kind,
            "created": self.created,
            "model": line.get("model"),
        }


class OllamaStream:
    """Chunks of a stream; a line gives one or more. Ends after the line that says `done`."""

    def __init__(self, incoming: Source, refusals: Refusals, identity: Identity) -> None:
        self._incoming = incoming
        self._refusals = refusals
        self._identity = identity
        self._splitter = Splitter(LINE_END)
        self._ready: deque[Chunk] = deque()
        self._begun = False
        self._ended = False
        self._calls = 0

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        while not self._ready:
            if self._ended:
                await self._incoming.drain()
                raise StopAsyncIteration
            self._ready.extend(self._chunks(await self._line()))
        chunk = self._ready.popleft()
        if chunk.content:
            self._incoming.content_came()
        return chunk

    async def _line(self) -> Mapping[str, object]:
        try:
            line = b""
            while not line:
                line = (await self._next()).strip()
        except EventTooLarge:
            raise StreamBroken(f"{self._incoming.label} sent a line beyond all bounds") from None
        return checked(line, self._incoming, self._refusals)

    async def _next(self) -> bytes:
        while (line := self._splitter.next()) is None:
            data = await self._incoming.read()
            if not data:
                return self._last()
            self._splitter.feed(data)
        return line

    def _last(self) -> bytes:
        """Without its line end, perhaps."""
        rest = self._splitter.rest().strip()
        if not rest:
            raise StreamBroken(f"{self._incoming.label} ended its answer half-way")
        self._splitter = Splitter(LINE_END)
        return rest

    def _chunks(self, line: Mapping[str, object]) -> Iterator[Chunk]:
        if not self._begun:
            self._begun = True
            yield Chunk(self._event(line, ROLE))
        delta = self._delta(line.get("message"))
        if delta:
            spoken = said(delta)
            content = spoken.answer or spoken.thinking
            yield Chunk(self._event(line, delta), content=content, text_bytes=spoken.text_bytes)
        if line.get("done") is True:
            self._ended = True
            yield from self._end(line)

    def _delta(self, message: object) -> dict[str, object]:
        if not isinstance(message, dict):
            return {}
        calls = tool_calls(message, self._identity, self._calls)
        self._calls += len(calls)
        parts = {
            "reasoning_content": message.get("thinking"),
            "content": message.get("content"),
            "tool_calls": [{"index": i, **call} for i, call in calls],
        }
        return {name: value for name, value in parts.items() if value}

    def _end(self, line: Mapping[str, object]) -> Iterator[Chunk]:
        usage, finish = usage_of_ollama(line), finish_of(line, called=self._calls > 0)
        yield Chunk(self._event(line, {}, finish), usage=usage, finish=finish)
        if usage and self._identity.usage_wanted:
            head = self._identity.head("chat.completion.chunk", line)
            yield Chunk(_sse({**head, "choices": [], "usage": usage_document(usage)}))
        yield Chunk(DONE_EVENT, end=True)

    def _event(
        self, line: Mapping[str, object], delta: Mapping[str, object], finish: str | None = None
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        document = self._identity.head("chat.completion.chunk", line) | {"choices": [choice]}
        if self._identity.usage_wanted:
            document["usage"] = None
        return _sse(document)


async def plain_chunk(incoming: Source, refusals: Refusals, identity: Identity) -> Chunk:
    """A whole answer as OpenAI's `chat.completion`."""
    line = checked(await incoming.read_all(), incoming, refusals)
    message = line.get("message")
    if not isinstance(message, dict):
        raise UpstreamUnavailable(f"{incoming.label} answered without a message")
    calls = [call for _, call in tool_calls(message, identity, 0)]
    answer: dict[str, object] = {"role": "assistant", "content": message.get("content")}
    if thinking := message.get("thinking"):
        answer["reasoning_content"] = thinking
    if calls:
        answer["tool_calls"] = calls
        answer["content"] = answer["content"] or None
    usage, finish = usage_of_ollama(line), finish_of(line, called=bool(calls))
    choice = {"index": 0, "message": answer, "logprobs": None, "finish_reason": finish}
    document = identity.head("chat.completion", line) | {"choices": [choice]}
    if usage:
        document["usage"] = usage_document(usage)
    spoken = said(answer)
    return Chunk(
        orjson.dumps(document),
        content=spoken.answer,
        text_bytes=spoken.text_bytes,
        usage=usage,
        finish=finish,
        end=True,
    )


def checked(data: bytes, incoming: Source, refusals: Refusals) -> Mapping[str, object]:
    try:
        document = parse(data)
    except ValueError:
        raise StreamBroken(f"{incoming.label} sent what is not JSON") from None
    if not isinstance(document, dict):
        raise StreamBroken(f"{incoming.label} sent what is no object")
    if error := document.get("error"):
        raise refusals.in_band(incoming.label, error)
    return document


def tool_calls(
    message: Mapping[str, object], identity: Identity, first: int
) -> list[tuple[int, dict[str, object]]]:
    """Numbered from `first`; Ollama gives no ids of its own before 0.12.4."""
    calls = message.get("tool_calls")
    numbered = []
    for index, call in enumerate(calls if isinstance(calls, list) else [], first):
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            arguments = orjson.dumps(function.get("arguments") or {}).decode()
            spelled = {"name": function.get("name"), "arguments": arguments}
            call_id = call.get("id") or f"call_{identity.call_id}_{index}"
            numbered.append((index, {"id": call_id, "type": "function", "function": spelled}))
    return numbered


def finish_of(line: Mapping[str, object], *, called: bool) -> str:
    reason = line.get("done_reason")
    if called and reason != "length":
        return "tool_calls"
    return reason if isinstance(reason, str) and reason else "stop"


def usage_document(usage: Usage) -> dict[str, object]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }


def _sse(document: Mapping[str, object]) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"
