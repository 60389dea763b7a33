"""JSON schemas as Anthropic takes them: it wants every object closed, and says so by refusing."""

from collections.abc import Iterator, Mapping
from typing import Final

from penstock_sidecar.dialects.fields import list_of, object_of
from penstock_sidecar.model import JsonObject

NAMED: Final = ("properties", "$defs", "definitions")
"""Keywords that hold schemas by names of the caller's."""
LISTED: Final = ("anyOf", "oneOf", "prefixItems")
SINGLE: Final = ("items",)
COMBINED: Final = frozenset({"allOf", "anyOf", "oneOf", "$ref", "if", "patternProperties"})
"""With one of them further properties may come from elsewhere."""


def closed_schema(schema: JsonObject) -> dict[str, object]:
    """The same, with objects that say nothing of further properties closed to them: what fits it
    fits the given one too. An object without any named property stays as it is."""
    found = dict(schema)
    for name in NAMED:
        if isinstance(inner := found.get(name), Mapping):
            found[name] = {key: _closed(each) for key, each in inner.items()}
    for name in LISTED:
        if isinstance(inner := found.get(name), list):
            found[name] = [_closed(each) for each in inner]
    for name in SINGLE:
        if name in found:
            found[name] = _closed(found[name])
    if found.get("properties") and not found.keys() & {*COMBINED, "additionalProperties"}:
        found["additionalProperties"] = False
    return found


def is_exact(schema: JsonObject) -> bool:
    """Whether OpenAI takes it as strict: each object names all that it holds, and needs it.
    Anthropic, who keeps to every schema, asks for less."""
    if schema.get("type") == "object" or "properties" in schema:
        names, required = set(object_of(schema.get("properties"))), list_of(schema.get("required"))
        if schema.get("additionalProperties") is not False or names != set(map(str, required)):
            return False
    return all(map(is_exact, _inner(schema)))


def _closed(value: object) -> object:
    return closed_schema(value) if isinstance(value, Mapping) else value


def _inner(schema: JsonObject) -> Iterator[JsonObject]:
    for name in NAMED:
        yield from map(object_of, object_of(schema.get(name)).values())
    for name in LISTED:
        yield from map(object_of, list_of(schema.get(name)))
    yield from (object_of(schema[name]) for name in SINGLE if name in schema)
