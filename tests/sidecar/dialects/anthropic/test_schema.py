"""Schemas closed for Anthropic, and those that OpenAI takes as strict."""

from typing import Any

import pytest

from penstock_sidecar.dialects.anthropic.schema import closed_schema, is_exact

TEXT = {"type": "string"}


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def open_(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        (open_(a=TEXT), closed(a=TEXT)),
        (open_(a=open_(b=TEXT)), closed(a=closed(b=TEXT))),
        ({"type": "array", "items": open_(a=TEXT)}, {"type": "array", "items": closed(a=TEXT)}),
        ({"anyOf": [open_(a=TEXT), TEXT]}, {"anyOf": [closed(a=TEXT), TEXT]}),
        ({"$defs": {"x": open_(a=TEXT)}}, {"$defs": {"x": closed(a=TEXT)}}),
        (open_(properties=TEXT, items=TEXT), closed(properties=TEXT, items=TEXT)),
    ],
)
def test_objects_are_closed_wherever_they_stand(schema: Any, wanted: Any) -> None:
    assert closed_schema(schema) == wanted


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {**open_(a=TEXT), "additionalProperties": True},
        {"allOf": [open_(a=TEXT), open_(b=TEXT)]},
        {**open_(a=TEXT), "allOf": [{"$ref": "#/$defs/x"}]},
        {"enum": [open_(a=TEXT)]},
        {"const": {"properties": {"a": 1}}},
        {"not": open_(a=TEXT)},
    ],
)
def test_what_closing_would_change_is_left_alone(schema: Any) -> None:
    assert closed_schema(schema) == schema


@pytest.mark.parametrize(
    ("schema", "exact"),
    [
        ({**closed(a=TEXT), "required": ["a"]}, True),
        (closed(a=TEXT), False),
        ({**open_(a=TEXT), "required": ["a"]}, False),
        ({"type": "array", "items": closed(a=TEXT)}, False),
        ({"anyOf": [TEXT, {**closed(a=TEXT), "required": ["a"]}]}, True),
        (TEXT, True),
    ],
)
def test_what_openai_takes_as_strict(schema: Any, exact: bool) -> None:
    assert is_exact(schema) is exact
