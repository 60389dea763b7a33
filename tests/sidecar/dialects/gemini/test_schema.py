"""JSON schemas in Gemini's words."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from penstock_sidecar.dialects.gemini.schema import SAID, Unsaid, schema_of
from tests.fakes.vendors.gemini_rules import complaint

steady = settings(deadline=None, derandomize=True)


def said(schema: dict[str, Any]) -> Any:
    """As any tool's; nothing in it that Gemini would refuse."""
    found = schema_of(schema, strict=False)
    request = {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseJsonSchema": found,
        },
    }
    assert complaint(request, strict=True) is None
    return found


def test_what_gemini_knows_stays_as_it_is() -> None:
    schema = {
        "type": "object",
        "title": "A",
        "description": "An A.",
        "properties": {
            "const": {"type": ["string", "null"], "enum": ["a", "b"], "default": "a"},
            "$ref": {"type": "array", "items": {"$ref": "#/$defs/B"}, "minItems": 1},
            "not": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]},
        },
        "required": ["const", "not"],
        "additionalProperties": False,
        "$defs": {"B": {"type": "number", "maximum": 1}},
    }
    assert said(schema) == schema
    assert schema_of(schema, strict=True) == schema


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({"$schema": "https://json-schema.org/draft-07", "type": "object"}, {"type": "object"}),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"const": 1.5, "description": "x"}, {"description": "x", "enum": [1.5]}),
        ({"const": True}, {"const": True}),
        ({"const": {"$comment": 1}}, {"const": {"$comment": 1}}),
        ({"allOf": [{"type": "string"}]}, {"type": "string"}),
        (
            {"allOf": [{"$ref": "#/$defs/A"}], "description": "x", "$defs": {"A": {}}},
            {"anyOf": [{"$ref": "#/$defs/A"}], "description": "x", "$defs": {"A": {}}},
        ),
        (
            {"allOf": [{"minimum": 1}], "minimum": 2},
            {"allOf": [{"minimum": 1}], "minimum": 2},
        ),
        (
            {"properties": {"a": {"$ref": "#/$defs/A", "description": "x"}}},
            {"properties": {"a": {"anyOf": [{"$ref": "#/$defs/A"}], "description": "x"}}},
        ),
        (
            {
                "items": {"$ref": "#/definitions/A"},
                "definitions": {"A": {"enum": ["#/definitions/A"]}},
            },
            {"items": {"$ref": "#/$defs/A"}, "$defs": {"A": {"enum": ["#/definitions/A"]}}},
        ),
        ({"items": [{"const": "a"}, True]}, {"items": [{"enum": ["a"]}, True]}),
    ],
)
def test_the_same_is_said_in_other_words(given_: dict[str, Any], expected: object) -> None:
    assert said(given_) == expected


@pytest.mark.parametrize(
    "keyword",
    ["pattern", "minLength", "multipleOf", "not", "if", "patternProperties", "uniqueItems"],
)
def test_a_strict_schema_holds_nothing_that_would_be_ignored(keyword: str) -> None:
    inner: dict[str, Any] = {keyword: {}}
    schema = {"type": "object", "properties": {"a": {"anyOf": [{"items": inner}]}}}
    assert schema_of(schema, strict=False) == schema
    with pytest.raises(Unsaid) as caught:
        schema_of(schema, strict=True)
    assert caught.value.keyword == keyword


def test_a_deep_schema_is_said_too() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(100):
        schema = {"properties": {"a": schema}}
    assert schema_of(schema, strict=True) == schema


NAMES = st.sampled_from(["a", "b", "const", "$ref", "not"])
LEAVES = st.one_of(
    st.sampled_from(["string", "integer", "boolean", "null"]).map(lambda t: {"type": t}),
    st.sampled_from(["a", 1, None, True]).map(lambda v: {"const": v}),
    st.just({"$ref": "#/definitions/D", "description": "d"}),
    st.just({"allOf": [{"$ref": "#/definitions/D"}], "title": "d"}),
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, max_size=3).map(
            lambda p: {"type": "object", "properties": p, "required": list(p)[:1]}
        ),
        inner.map(lambda i: {"type": "array", "items": i}),
        st.lists(inner, min_size=1, max_size=2).map(lambda a: {"anyOf": a}),
        st.lists(inner, min_size=1, max_size=2).map(lambda a: {"allOf": a}),
        inner.map(lambda i: {"not": i}),
    ),
    max_leaves=8,
)
VALUES = st.recursive(
    st.sampled_from(["a", "b", 1, True, None]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=5,
)


@steady
@given(SCHEMAS, VALUES)
def test_no_word_changes_what_fits(schema: dict[str, Any], value: object) -> None:
    schema = {**schema, "definitions": {"D": {"enum": ["a", 1]}}}
    before = Draft202012Validator(schema).is_valid(value)
    assert Draft202012Validator(said(schema)).is_valid(value) == before


@steady
@given(SCHEMAS)
def test_a_strict_schema_is_of_words_that_gemini_knows(schema: dict[str, Any]) -> None:
    document = {**schema, "definitions": {"D": {}}}
    known = set(words(schema_of(document, strict=False))) <= SAID
    assert (refused(document) is None) == known


def refused(schema: dict[str, Any]) -> str | None:
    try:
        schema_of(schema, strict=True)
    except Unsaid as error:
        return error.keyword
    return None


def words(schema: Mapping[str, Any]) -> Iterator[str]:
    """Those of the schemas that are made above."""
    for name, value in schema.items():
        yield name
        match name:
            case "properties" | "$defs":
                inner = list(value.values())
            case "anyOf" | "allOf":
                inner = value
            case "items" | "not":
                inner = [value]
            case _:
                inner = []
        for each in inner:
            yield from words(each)
