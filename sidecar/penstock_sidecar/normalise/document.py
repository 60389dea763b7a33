"""A request's body as a document, and what every dialect has in it: the model's name."""

from typing import Final

import orjson

from penstock_sidecar.dialects.fields import list_of
from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import JsonObject

SPARE_LEVELS: Final = 54
MAX_DEPTH: Final = 254 - SPARE_LEVELS
"""orjson reads 1024 levels but writes 254, and later stages may wrap the document in their own."""
MAX_OBJECTS: Final = 50_000
"""Each costs some microseconds, and the loop waits for them all."""
MAX_MODEL_CHARACTERS: Final = 256
OWN_FIELDS: Final = ("cache",)
"""Fields that speak to a gateway (LiteLLM's), which no provider knows."""


def read_document(body: bytes, needs: str) -> dict[str, object]:
    """Raises `MalformedRequest`, which says what the document `needs`: "`model` and `input`"."""
    if not body.strip():
        raise MalformedRequest(f"The body is empty: send a JSON object with {needs}")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        msg = f"The body is not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise MalformedRequest(msg) from None
    if not isinstance(document, dict):
        raise MalformedRequest(f"The body is not a JSON object: send one with {needs}")
    _refuse_depth(body, document)
    _refuse_number(body, document)
    return document


def model_of(document: JsonObject) -> str:
    """Raises `MalformedRequest`."""
    model = document.get("model")
    if model is None:
        raise MalformedRequest("`model` is missing: name a model, a tier, or `auto`", param="model")
    if not isinstance(model, str):
        raise MalformedRequest("`model` must be a string", param="model")
    if not model.strip() or len(model) > MAX_MODEL_CHARACTERS or not model.isprintable():
        raise MalformedRequest(
            f"`model` must have 1 to {MAX_MODEL_CHARACTERS} printable characters", param="model"
        )
    return model


def refuse_other_case(holder: JsonObject, where: str = "") -> None:
    """Ollama takes names in any case, and the last one wins: a `MODEL` beside `model` would be the
    one that answers, and `Images` would be seen and not be counted."""
    for name in holder:
        if name != (plain := name.casefold()):
            param = f"{where}{plain}"
            raise MalformedRequest(f"`{param}` must be written in small letters", param=param)


def without_own_fields(body: bytes, document: dict[str, object]) -> tuple[bytes, dict[str, object]]:
    """What a provider may see; the same where it may see all."""
    if not any(name in document for name in OWN_FIELDS):
        return body, document
    seen = {name: value for name, value in document.items() if name not in OWN_FIELDS}
    return orjson.dumps(seen), seen


def _refuse_depth(body: bytes, document: JsonObject) -> None:
    """A document that nests too deep could be read but not written again."""
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return
    wrapped: object = document
    for _ in range(SPARE_LEVELS):
        wrapped = [wrapped]
    try:
        orjson.dumps(wrapped)
    except TypeError:
        msg = f"The body nests deeper than {MAX_DEPTH} levels: flatten it"
        raise MalformedRequest(msg) from None


def _refuse_number(body: bytes, document: JsonObject) -> None:
    """Ten megabytes could hold a third of a million messages."""
    if body.count(b"{") <= MAX_OBJECTS:
        return
    left: list[object] = [document]
    objects = 0
    while left and objects <= MAX_OBJECTS:
        value = left.pop()
        objects += isinstance(value, dict)
        inside = value.values() if isinstance(value, dict) else list_of(value)
        left.extend(each for each in inside if isinstance(each, dict | list))
    if objects > MAX_OBJECTS:
        raise MalformedRequest(f"The body has more than {MAX_OBJECTS} objects: send fewer")
