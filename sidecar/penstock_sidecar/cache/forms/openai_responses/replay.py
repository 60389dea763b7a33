"""A kept response, streamed: events in OpenAI's order, each named and numbered."""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Final, cast

from penstock_sidecar.cache.forms.pieces import named_event, texts_of
from penstock_sidecar.model import JsonObject

Events = Iterator[dict[str, object]]
"""Without their numbers."""
ARGUMENTS: Final[Mapping[object, tuple[str, str]]] = {
    "function_call": ("response.function_call_arguments", "arguments"),
    "custom_tool_call": ("response.custom_tool_call_input", "input"),
}
"""Events that tell what a call is given, and its field."""


def replayed(document: JsonObject, _: bool) -> Iterator[bytes]:  # noqa: FBT001  # of `Streams`
    """Usage always comes along."""
    numbers = count()
    for said in _events(document):
        kind = str(said.pop("type"))
        yield named_event(kind, {**said, "sequence_number": next(numbers)})


def _events(document: JsonObject) -> Events:
    begun = {**document, "status": "in_progress", "output": [], "usage": None}
    if "completed_at" in document:
        begun["completed_at"] = None
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(cast("list[JsonObject]", document["output"])):
        at = {"output_index": index}
        yield {"type": "response.output_item.added", **at, "item": _begun(item)}
        yield from _told(item, {**at, "item_id": item["id"]})
        yield {"type": "response.output_item.done", **at, "item": item}
    yield {"type": "response.completed", "response": document}


def _begun(item: JsonObject) -> JsonObject:
    """Before anything of it was told."""
    empty = {"content": [], "summary": [], "arguments": "", "input": "", "status": "in_progress"}
    sealed = {"encrypted_content"}
    return {n: empty.get(n, v) for n, v in item.items() if n not in sealed}


def _told(item: JsonObject, place: JsonObject) -> Events:
    if item["type"] in ARGUMENTS:
        name, given = ARGUMENTS[item["type"]]
        for piece in texts_of(cast("str", item[given])):
            yield {"type": f"{name}.delta", **place, "delta": piece}
        yield {"type": f"{name}.done", **place, given: item[given]}
        return
    for index, part in enumerate(cast("list[JsonObject]", item.get("summary") or [])):
        yield from _summary(part, {**place, "summary_index": index})
    for index, part in enumerate(cast("list[JsonObject]", item.get("content") or [])):
        yield from _part(part, {**place, "content_index": index})


def _summary(part: JsonObject, place: JsonObject) -> Events:
    name, text = "response.reasoning_summary", cast("str", part["text"])
    yield {"type": f"{name}_part.added", **place, "part": {**part, "text": ""}}
    for piece in texts_of(text):
        yield {"type": f"{name}_text.delta", **place, "delta": piece}
    yield {"type": f"{name}_text.done", **place, "text": text}
    yield {"type": f"{name}_part.done", **place, "part": part}


def _part(part: JsonObject, place: JsonObject) -> Events:
    """Text, a refusal or a thought."""
    kind = str(part["type"])
    field = "refusal" if kind == "refusal" else "text"
    spoken = kind == "output_text"
    logprobs = part.get("logprobs") or []
    empty: JsonObject = {"annotations": [], "logprobs": []} if spoken else {}
    yield {"type": "response.content_part.added", **place, "part": {**part, **empty, field: ""}}
    for number, piece in enumerate(texts_of(cast("str", part[field]))):
        beside = {"logprobs": [] if number else logprobs} if spoken else {}
        yield {"type": f"response.{kind}.delta", **place, "delta": piece, **beside}
    for number, annotation in enumerate(cast("list[object]", part.get("annotations") or [])):
        name, at = "response.output_text.annotation.added", {"annotation_index": number}
        yield {"type": name, **place, **at, "annotation": annotation}
    beside = {"logprobs": logprobs} if spoken else {}
    yield {"type": f"response.{kind}.done", **place, field: part[field], **beside}
    yield {"type": "response.content_part.done", **place, "part": part}
