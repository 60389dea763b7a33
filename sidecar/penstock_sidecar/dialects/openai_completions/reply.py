"""Writes answers: pieces of a stream, or a whole completion. Thoughts have no place in it."""

from collections.abc import Iterator, Sequence

import orjson

from penstock_sidecar.dialects.dialect import Identity
from penstock_sidecar.dialects.events import (
    Counted,
    Ended,
    Event,
    Finished,
    RefusalPiece,
    Started,
    TextPiece,
)
from penstock_sidecar.dialects.openai_chat.reply import usage_document
from penstock_sidecar.dialects.openai_completions.logprobs import OldLogprobs
from penstock_sidecar.dialects.openai_completions.read import echo_of, prompt_text
from penstock_sidecar.dialects.sse import DONE_EVENT
from penstock_sidecar.dialects.whole import Choice, whole
from penstock_sidecar.model import JsonObject, Usage


class CompletionWriter:
    """Of a stream."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._head = _head(identity, "")
        self._echo = echo_of(identity.asked)
        self._offset = len(prompt_text(identity.asked))
        self._begun: dict[int, OldLogprobs] = {}
        self._usage: Usage | None = None

    def write(self, event: Event) -> bytes:
        match event:
            case Started():
                self._head = _head(self._identity, event.model)
            case Counted():
                self._usage = event.usage
            case TextPiece() | RefusalPiece() | Finished():
                return b"".join(self._entries(event))
            case Ended():
                return self._end()
            case _:
                pass
        return b""

    def _entries(self, event: TextPiece | RefusalPiece | Finished) -> Iterator[bytes]:
        if event.choice not in self._begun:
            self._begun[event.choice] = OldLogprobs(self._offset)
            if self._echo:
                yield self._entry(event.choice, self._echo)
        match event:
            case TextPiece():
                logprobs = self._begun[event.choice].document(event.logprobs)
                yield self._entry(event.choice, event.text, logprobs)
            case RefusalPiece():
                yield self._entry(event.choice, event.text)
            case Finished():
                yield self._entry(event.choice, "", finish=_finish(event.reason))

    def _end(self) -> bytes:
        if self._usage is None or not self._identity.usage_wanted:
            return DONE_EVENT
        usage = usage_document(self._usage)
        return _sse({**self._head, "choices": [], "usage": usage}) + DONE_EVENT

    def _entry(
        self, choice: int, text: str, logprobs: JsonObject | None = None, finish: str | None = None
    ) -> bytes:
        entry = {"text": text, "index": choice, "logprobs": logprobs, "finish_reason": finish}
        usage = {"usage": None} if self._identity.usage_wanted else {}
        return _sse({**self._head, "choices": [entry], **usage})


def write_completion(events: Sequence[Event], identity: Identity) -> JsonObject:
    answer = whole(events)
    choices = [_choice(index, choice, identity) for index, choice in answer.choices]
    document = {**_head(identity, answer.model), "choices": choices}
    return document | ({"usage": usage_document(answer.usage)} if answer.usage else {})


def _choice(index: int, choice: Choice, identity: Identity) -> dict[str, object]:
    logprobs = OldLogprobs(len(prompt_text(identity.asked)))
    return {
        "text": echo_of(identity.asked) + choice.text + choice.refusal,
        "index": index,
        "logprobs": logprobs.document(choice.logprobs),
        "finish_reason": _finish(choice.finish),
    }


def _finish(reason: str) -> str:
    """Tools were not there to be called."""
    return "stop" if reason == "tool_calls" else reason


def _head(identity: Identity, model: str) -> dict[str, object]:
    return {
        "id": f"cmpl-{identity.call_id}",
        "object": "text_completion",
        "created": identity.created,
        "model": model or identity.model,
    }


def _sse(document: JsonObject) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"
