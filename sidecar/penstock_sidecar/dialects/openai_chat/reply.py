"""Writes answers: chunks of a stream, or a whole completion."""

from collections.abc import Sequence
from typing import Final

import orjson

from penstock_sidecar.dialects.dialect import Identity
from penstock_sidecar.dialects.events import (
    CallPiece,
    Counted,
    Ended,
    Event,
    Finished,
    OtherPiece,
    RefusalPiece,
    Started,
    TextPiece,
    ThoughtPiece,
    Vector,
)
from penstock_sidecar.dialects.openai_chat.extra import extra_content
from penstock_sidecar.dialects.sse import DONE_EVENT
from penstock_sidecar.dialects.whole import Choice, Thought, whole
from penstock_sidecar.model import JsonObject, Usage

ROLE: Final = {"role": "assistant", "content": ""}


class OpenAiWriter:
    """Of a stream."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._head = _head(identity, "chat.completion.chunk", "")
        self._begun: set[int] = set()
        self._usage: Usage | None = None

    def write(self, event: Event) -> bytes:
        match event:
            case Started():
                self._head = _head(self._identity, "chat.completion.chunk", event.model)
                return self._first(0)
            case Finished():
                return self._first(event.choice) + self._event(event.choice, {}, event.reason)
            case Counted():
                self._usage = event.usage
            case Ended():
                return self._end()
            case TextPiece() | RefusalPiece() | ThoughtPiece() | CallPiece():
                return self._piece(event)
            case OtherPiece() | Vector():
                pass
        return b""

    def _piece(self, event: TextPiece | RefusalPiece | ThoughtPiece | CallPiece) -> bytes:
        delta = _delta(event, self._identity)
        if not delta:
            return b""
        logprobs = event.logprobs if isinstance(event, TextPiece) else ()
        return self._first(event.choice) + self._event(event.choice, delta, logprobs=logprobs)

    def _first(self, choice: int) -> bytes:
        if choice in self._begun:
            return b""
        self._begun.add(choice)
        return self._event(choice, ROLE)

    def _end(self) -> bytes:
        if self._usage is None or not self._identity.usage_wanted:
            return DONE_EVENT
        usage = usage_document(self._usage)
        return _sse({**self._head, "choices": [], "usage": usage}) + DONE_EVENT

    def _event(
        self,
        choice: int,
        delta: JsonObject,
        finish: str | None = None,
        logprobs: Sequence[JsonObject] = (),
    ) -> bytes:
        entry = {
            "index": choice,
            "delta": delta,
            "logprobs": _logprobs(logprobs),
            "finish_reason": finish,
        }
        usage = {"usage": None} if self._identity.usage_wanted else {}
        return _sse({**self._head, "choices": [entry], **usage})


def write_completion(events: Sequence[Event], identity: Identity) -> JsonObject:
    answer = whole(events)
    document = {
        **_head(identity, "chat.completion", answer.model),
        "choices": [_choice(index, choice, identity) for index, choice in answer.choices],
    }
    return document | ({"usage": usage_document(answer.usage)} if answer.usage else {})


def usage_document(usage: Usage) -> dict[str, object]:
    """Details only where there are any: zeros would say that somebody counted."""
    document: dict[str, object] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
    if usage.cached_input_tokens or usage.cache_write_tokens:
        document["prompt_tokens_details"] = {"cached_tokens": usage.cached_input_tokens}
    if usage.reasoning_tokens:
        document["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return document


def _choice(index: int, choice: Choice, identity: Identity) -> dict[str, object]:
    content = choice.text or (None if choice.calls or choice.refusal else "")
    refusal = choice.refusal or None
    message: dict[str, object] = {"role": "assistant", "content": content, "refusal": refusal}
    if choice.thought:
        message["reasoning_content"] = choice.thought
    for block in choice.blocks:
        if isinstance(block, Thought):
            message |= extra_content(block.signature)
    if choice.calls:
        message["tool_calls"] = [
            {
                "id": call.id or identity.tool_call_id(place),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
                **extra_content(call.signature),
            }
            for place, call in enumerate(choice.calls)
        ]
    return {
        "index": index,
        "message": message,
        "logprobs": _logprobs(choice.logprobs),
        "finish_reason": choice.finish,
    }


def _delta(
    event: TextPiece | RefusalPiece | ThoughtPiece | CallPiece, identity: Identity
) -> dict[str, object]:
    match event:
        case TextPiece():
            return {"content": event.text}
        case RefusalPiece():
            return {"refusal": event.text}
        case ThoughtPiece():
            said = {"reasoning_content": event.text} if event.text else {}
            return {**said, **extra_content(event.signature)}
        case CallPiece():
            return {"tool_calls": [call]} if (call := _call(event, identity)) else {}


def _call(event: CallPiece, identity: Identity) -> dict[str, object] | None:
    """Id and type come with the name, once; then arguments alone."""
    if event.name:
        id_ = event.id or identity.tool_call_id(event.index)
        function = {"name": event.name, "arguments": event.arguments}
        call = {"index": event.index, "id": id_, "type": "function", "function": function}
        return {**call, **extra_content(event.signature)}
    if event.arguments:
        return {"index": event.index, "function": {"arguments": event.arguments}}
    return None


def _logprobs(tokens: Sequence[JsonObject]) -> dict[str, object] | None:
    return {"content": list(tokens), "refusal": None} if tokens else None


def _head(identity: Identity, kind: str, model: str) -> dict[str, object]:
    return {
        "id": f"chatcmpl-{identity.call_id}",
        "object": kind,
        "created": identity.created,
        "model": model or identity.model,
    }


def _sse(document: JsonObject) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"
