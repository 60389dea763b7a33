"""A kept answer, given again in the form that is asked for this time."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

import orjson

from penstock_sidecar.cache.entry import Entry
from penstock_sidecar.model import Chunk, Usage

Json = Mapping[str, object]

CONTENT: Final = ("content", "refusal", "tool_calls")
PIECE_CHARACTERS: Final = 2000
"""Of text in one event: some clients read lines into a buffer of 64 KiB."""


@dataclass(frozen=True, slots=True, repr=False)
class Hit:
    """An answer found. `key_id` names it to people; the key itself is nobody's business."""

    entry: Entry
    key_id: str
    age_seconds: int

    @property
    def provider(self) -> str:
        return self.entry.provider

    @property
    def model(self) -> str:
        return self.entry.model

    @property
    def tier(self) -> str:
        return self.entry.tier

    @property
    def usage(self) -> Usage:
        """Of the call that was paid for."""
        return self.entry.usage

    @property
    def saved_micro_usd(self) -> int:
        return self.entry.cost_micro_usd

    def chunks(self, *, stream: bool, usage_wanted: bool) -> Iterable[Chunk]:
        """The body as it was kept, or the same answer as server-sent events."""
        if not stream:
            return (Chunk(self.entry.body, content=True, usage=self.usage, end=True),)
        return _events(orjson.loads(self.entry.body), self.usage, usage_wanted=usage_wanted)


def _events(document: Json, usage: Usage, *, usage_wanted: bool) -> Iterator[Chunk]:
    frame = {k: v for k, v in document.items() if k not in {"choices", "usage"}}
    frame["object"] = "chat.completion.chunk"
    # With `include_usage` OpenAI sends `"usage": null` until the last chunk.
    no_usage = {"usage": None} if usage_wanted else {}
    for choice in cast("list[Json]", document["choices"]):
        for delta in _deltas(choice):
            data = _event({**frame, "choices": [delta], **no_usage})
            said = cast("Json", delta["delta"])
            finish = cast("str | None", delta["finish_reason"])
            yield Chunk(data, content=any(map(said.get, CONTENT)), finish=finish)
    if usage_wanted:
        yield Chunk(_event({**frame, "choices": [], "usage": document["usage"]}), usage=usage)
    yield Chunk(b"data: [DONE]\n\n", end=True)


def _deltas(choice: Json) -> Iterator[dict[str, object]]:
    """What one choice says, piece by piece: role and all short fields, text, tool calls, finish."""
    message = cast("Json", choice["message"])
    rest = {k: v for k, v in choice.items() if k not in {"message", "logprobs"}}
    index = choice["index"]
    logprobs = choice.get("logprobs")
    for number, delta in enumerate(_pieces(message)):
        yield {
            "index": index,
            "delta": delta,
            "logprobs": None if number else logprobs,
            "finish_reason": None,
        }
    yield {**rest, "delta": {}, "logprobs": None}


def _pieces(message: Json) -> Iterator[dict[str, object]]:
    text = cast("str | None", message.get("content"))
    calls = cast("list[Json]", message.get("tool_calls") or [])
    whole = {k: v for k, v in message.items() if k not in {"content", "tool_calls"} and v}
    yield {"role": "assistant", **whole, "content": None if text is None else ""}
    for start in range(0, len(text or ""), PIECE_CHARACTERS):
        yield {"content": (text or "")[start : start + PIECE_CHARACTERS]}
    for index, call in enumerate(calls):
        yield {"tool_calls": [{**call, "index": index}]}


def _event(document: Json) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"
