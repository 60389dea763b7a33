"""A response as it is kept: what was asked, what was answered, and who may go on from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.fields import list_of, objects_of, string_of
from penstock_sidecar.model import JsonObject

CALL_FIELDS: Final = ("type", "call_id", "name", "arguments", "extra_content")


@dataclass(frozen=True, slots=True, repr=False)
class Kept:
    """`scope` names callers by a hash; `input` are all items that the model was given."""

    scope: str
    input: tuple[object, ...]
    response: JsonObject

    def items(self) -> Iterator[object]:
        """What comes before the next request's own."""
        yield from self.input
        for _, item in objects_of(self.response.get("output")):
            if (said := _said_again(item)) is not None:
                yield said

    def encoded(self) -> bytes:
        return orjson.dumps(
            {"scope": self.scope, "input": list(self.input), "response": self.response}
        )


def decoded(content: bytes) -> Kept | None:
    """None for what another version wrote."""
    match parse(content):
        case {"scope": str(scope), "input": [*items], "response": Mapping() as response}:
            return Kept(scope, tuple(items), response)
        case _:
            return None


def _said_again(item: JsonObject) -> JsonObject | None:
    """An output item as input, without the ids by which only its provider knows it. Thoughts that
    lie at OpenAI and did not come along mean nothing to others."""
    match item.get("type"):
        case "message":
            return {"type": "message", "role": "assistant", "content": _content(item)}
        case "function_call":
            return {name: item[name] for name in CALL_FIELDS if name in item}
        case "reasoning":
            return item if item.get("encrypted_content") else None
        case _:
            return item


def _content(message: JsonObject) -> object:
    """Text alone is a string, which every server of this API reads."""
    parts = list_of(message.get("content"))
    texts = [part for part in parts if isinstance(part, Mapping) and "text" in part]
    if len(texts) == len(parts):
        return "".join(string_of(part["text"]) for part in texts)
    return parts
