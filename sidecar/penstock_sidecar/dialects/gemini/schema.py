"""JSON schemas as Gemini takes them (`responseJsonSchema`, `parametersJsonSchema`).

It knows a part of JSON Schema and ignores the rest. What has the same meaning in other words is
said so; what would be ignored is an error where the caller was promised an exact answer.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from penstock_sidecar.model import JsonObject

SAID: Final = frozenset(
    "$id $defs $ref $anchor type format title description enum items prefixItems minItems maxItems"  # noqa: SIM905  # words
    " minimum maximum anyOf oneOf properties additionalProperties required propertyOrdering".split()
)
"""https://ai.google.dev/api/generate-content#FIELDS.response_json_schema; `oneOf` as `anyOf`."""
IDLE: Final = frozenset({"default", "example", "examples", "deprecated", "readOnly", "writeOnly"})
"""Ignored, and forbid no value."""
WORDS: Final = frozenset({"title", "description"})
LEFT_OUT: Final = frozenset({"$schema", "$comment"})
MAPS: Final = frozenset({"properties", "$defs", "patternProperties", "dependentSchemas"})
"""Hold schemas by name; the others hold one, or a list."""
VALUES: Final = frozenset({"enum", "const", "default", "example", "examples", "required"})
"""Hold values, whatever they look like."""


class Unsaid(Exception):
    """A keyword that Gemini would ignore."""

    def __init__(self, keyword: str) -> None:
        super().__init__(keyword)
        self.keyword = keyword


def schema_of(schema: JsonObject, *, strict: bool) -> JsonObject:
    """`strict`: raises `Unsaid` for a keyword that forbids something, and would be ignored."""
    said = _said(_modern(schema))
    if strict:
        _check(said)
    return said


def _said(schema: JsonObject) -> dict[str, object]:
    kept = {name: _value(name, value) for name, value in schema.items() if name not in LEFT_OUT}
    match kept.get("allOf"):
        case [Mapping() as only] if only.keys() & kept.keys() <= WORDS:
            del kept["allOf"]
            kept = {**only, **kept}
    if isinstance(kept.get("const"), str | int | float) and not isinstance(kept["const"], bool):
        kept["enum"] = [kept.pop("const")]
    return _alone(kept)


def _alone(schema: dict[str, object]) -> dict[str, object]:
    """A reference may have nothing beside it."""
    beside = {name: value for name, value in schema.items() if not name.startswith("$")}
    if "$ref" not in schema or not beside:
        return schema
    named = {name: value for name, value in schema.items() if name not in beside}
    defs = {"$defs": named.pop("$defs")} if "$defs" in named else {}
    return {**defs, "anyOf": [named], **beside}


def _value(name: str, value: object) -> object:
    if name in VALUES:
        return value
    if name in MAPS and isinstance(value, Mapping):
        return {key: _sub(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_sub(inner) for inner in value]
    return _sub(value)


def _sub(value: object) -> object:
    return _said(value) if isinstance(value, Mapping) else value


def _modern(schema: JsonObject) -> JsonObject:
    """`definitions` had another name until 2019."""
    if not isinstance(schema.get("definitions"), Mapping) or "$defs" in schema:
        return schema
    renamed = {"$defs" if name == "definitions" else name: v for name, v in schema.items()}
    pointed = _pointed(renamed)
    return pointed if isinstance(pointed, Mapping) else renamed


def _pointed(value: object) -> object:
    match value:
        case Mapping():
            return {name: _pointer(name, inner) for name, inner in value.items()}
        case list():
            return [_pointed(inner) for inner in value]
        case _:
            return value


def _pointer(name: str, value: object) -> object:
    if name == "$ref" and isinstance(value, str):
        return value.replace("#/definitions/", "#/$defs/", 1)
    return _pointed(value)


def _check(schema: JsonObject) -> None:
    for name, value in schema.items():
        if name not in SAID and name not in IDLE:
            raise Unsaid(name)
        if name not in VALUES:
            for inner in _schemas(name, value):
                _check(inner)


def _schemas(name: str, value: object) -> Iterable[JsonObject]:
    if name in MAPS and isinstance(value, Mapping):
        value = list(value.values())
    found = value if isinstance(value, list) else [value]
    return [inner for inner in found if isinstance(inner, Mapping)]
