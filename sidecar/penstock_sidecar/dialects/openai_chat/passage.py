"""From caller to provider in the same dialect: the caller's own bytes, with what must differ."""

from collections.abc import Sequence
from typing import Final

import orjson

from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.nudge import NUDGE_MESSAGE
from penstock_sidecar.dialects.quirks import Quirks
from penstock_sidecar.model import JsonObject, Request

LIMIT_FIELDS: Final = ("max_completion_tokens", "max_tokens")


def changed_body(request: Request, ask: Ask) -> bytes:
    """The caller's bytes where nothing differs."""
    document, changes = _in_its_words(request.document, ask.quirks), dict[str, object]()
    if request.model != ask.model:
        changes["model"] = ask.model
    if ask.max_output_tokens is not None:
        changes |= _limits(document, ask.max_output_tokens, ask.quirks.limit_field)
    if request.stream and not request.usage_wanted and ask.quirks.asks_for_usage:
        changes["stream_options"] = with_usage(document)
    if ask.nudge:
        changes["messages"] = nudged(document)
    dropped = ask.quirks.drops & document.keys()
    if not changes and not dropped and document is request.document:
        return request.body
    kept = {name: value for name, value in document.items() if name not in dropped}
    return orjson.dumps({**kept, **changes})


def _in_its_words(document: JsonObject, quirks: Quirks) -> JsonObject:
    """The document itself where the provider has the same names for all that is in it."""
    foreign = quirks.renames.keys() & document.keys()
    messages = _messages(document)
    spoken = [_message(message, quirks) for message in messages]
    same = _identical(messages, spoken)
    if not foreign and same:
        return document
    said = {name: value for name, value in document.items() if name not in foreign}
    for name in sorted(foreign):
        said[quirks.renames[name]] = _stricter(document[name], said.get(quirks.renames[name]))
    return said if same else {**said, "messages": spoken}


def _stricter(value: object, other: object) -> object:
    """Of two bounds that say the same thing under two names."""
    return min(value, other) if isinstance(value, int) and isinstance(other, int) else value


def _messages(document: JsonObject) -> list[object]:
    messages = document.get("messages")
    return messages if isinstance(messages, list) else []


def _message(message: object, quirks: Quirks) -> object:
    """The same object where nothing differs."""
    said = _without(message, quirks.message_drops)
    if not isinstance(said, dict):
        return said
    if said.get("role") == "developer" and not quirks.developer_role:
        said = {**said, "role": quirks.system_role}
    calls = said.get("tool_calls")
    if not isinstance(calls, list):
        return said
    kept = [_without(call, quirks.message_drops) for call in calls]
    return said if _identical(calls, kept) else {**said, "tool_calls": kept}


def _without(holder: object, names: frozenset[str]) -> object:
    if not isinstance(holder, dict) or names.isdisjoint(holder):
        return holder
    return {name: value for name, value in holder.items() if name not in names}


def _identical(ones: Sequence[object], others: Sequence[object]) -> bool:
    return all(one is other for one, other in zip(ones, others, strict=True))


def only_for_us(request: Request, document: JsonObject) -> bool:
    """The usage that the caller did not ask for."""
    if request.usage_wanted or not document.get("usage"):
        return False
    return not document.get("choices")


def nudged(document: JsonObject) -> list[object]:
    messages = document.get("messages")
    return [*messages, NUDGE_MESSAGE] if isinstance(messages, list) else [NUDGE_MESSAGE]


def _limits(document: JsonObject, most: int, limit_field: str) -> dict[str, object]:
    """Lowers the caller's own limits to `most`, or sets one."""
    own = {name: document[name] for name in LIMIT_FIELDS if document.get(name) is not None}
    if not own:
        return {limit_field: most}
    return {name: most for name, value in own.items() if isinstance(value, int) and value > most}


def with_usage(document: JsonObject) -> dict[str, object]:
    options = document.get("stream_options")
    own = options if isinstance(options, dict) else {}
    return {**own, "include_usage": True}
