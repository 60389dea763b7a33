"""The manifests in `crds/` are current, structural as KEP-2335 has it, bounded, and explained."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
import yaml

from penstock_operator.api.base import Kind
from penstock_operator.crd import KINDS, chart_template, manifest, render
from penstock_operator.reference import page
from tests.cluster.cel_cases import ROOT, nodes, schema

FORBIDDEN: Final = frozenset(
    {
        *("$ref", "$defs", "const", "discriminator", "patternProperties", "prefixItems"),
        *("uniqueItems", "anyOf", "allOf", "oneOf", "not", "default", "nullable", "title"),
    }
)
BOUNDED_BY: Final[Mapping[str, tuple[set[str], ...]]] = {
    "string": ({"maxLength"}, {"enum"}, {"format"}),
    "array": ({"maxItems"},),
    "integer": ({"minimum", "maximum"}, {"enum"}),
}
"""What bounds a value of each type, one of them in whole."""
BELONGS_TO: Final = {"maxLength": "string", "maxItems": "array", "maxProperties": "object"}

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)


@each_kind
def test_the_manifest_is_current(kind: type[Kind]) -> None:
    """`make crds` writes it."""
    assert (ROOT / "crds" / f"{kind.plural}.yaml").read_text("utf-8") == render(kind)


@each_kind
def test_the_template_of_the_chart_is_current(kind: type[Kind]) -> None:
    """`make crds` writes it."""
    path = ROOT / "charts/penstock/templates/crds" / f"{kind.plural}.yaml"
    assert path.read_text("utf-8") == chart_template(kind)


@each_kind
def test_the_reference_page_is_current(kind: type[Kind]) -> None:
    """`make crds` writes it."""
    assert (ROOT / "docs/reference" / f"{kind.plural}.md").read_text("utf-8") == page(kind)


@pytest.mark.parametrize("directory", ["crds", "charts/penstock/templates/crds"])
def test_the_directory_holds_nothing_else(directory: str) -> None:
    assert {path.stem for path in (ROOT / directory).iterdir()} == {kind.plural for kind in KINDS}


def test_names_are_told_apart() -> None:
    names = [manifest(kind)["spec"]["names"] for kind in KINDS]
    assert [name["shortNames"] for name in names] == [["llmp"], ["mtier"], ["route"], ["bud"]]
    assert all(name["categories"] == ["penstock"] for name in names)


@each_kind
def test_the_schema_is_structural(kind: type[Kind]) -> None:
    assert list(_not_structural(kind)) == []


def _not_structural(kind: type[Kind]) -> Iterator[str]:
    types = {"object", "array", "string", "integer", "boolean"}  # no floats, by choice
    for path, node in nodes(schema(kind)):
        yield from (f"{path}: {word}" for word in sorted(FORBIDDEN & node.keys()))
        if node.get("type") not in types:
            yield f"{path}: type {node.get('type')!r}"
        if {"properties", "additionalProperties"} <= node.keys():
            yield f"{path}: properties beside additionalProperties"
        if node.get("type") == "array" and not isinstance(node.get("items"), dict):
            yield f"{path}: items of no schema"


@each_kind
def test_every_value_is_bounded(kind: type[Kind]) -> None:
    """A bound of the wrong type is no bound: the API server says nothing, and ignores it."""
    assert list(_unbounded(kind)) == []


def _unbounded(kind: type[Kind]) -> Iterator[str]:
    for path, node in nodes(schema(kind)):
        for word, type_ in BELONGS_TO.items():
            if word in node and node["type"] != type_:
                yield f"{path}: {word} of {node['type']}"
        if not path.startswith("spec."):
            continue
        bounds = BOUNDED_BY.get(node["type"], (set(),))
        if "additionalProperties" in node:
            bounds = ({"maxProperties"},)
        if not any(bound <= node.keys() for bound in bounds):
            yield f"{path}: unbounded {node['type']}"


@each_kind
def test_every_field_is_explained(kind: type[Kind]) -> None:
    """`kubectl explain` has a sentence for each."""
    silent = [
        path
        for path, node in nodes(schema(kind))
        if path.startswith(("spec", "status"))
        and not path.endswith("[]")
        and not re.fullmatch(r"(?!Default:).+\.", node.get("description", ""))
    ]
    assert silent == []


@each_kind
def test_lists_of_objects_have_keys_or_are_taken_whole(kind: type[Kind]) -> None:
    """Keys of a list map are required, plain and there."""
    for path, node in nodes(schema(kind)):
        for key in node.get("x-kubernetes-list-map-keys", ()):
            assert key in node["items"]["required"], path
            assert node["items"]["properties"][key]["type"] in {"string", "integer"}, path


@each_kind
def test_columns_show_fields_that_there_are(kind: type[Kind]) -> None:
    fields = {path for path, _ in nodes(schema(kind))}
    version = manifest(kind)["spec"]["versions"][0]
    columns = {each["name"]: each["jsonPath"] for each in version["additionalPrinterColumns"]}
    assert {"Accepted", "Enforced", "Reason", "Age"} <= columns.keys()
    for path in columns.values():
        plain = re.sub(r"\[\?\(.*?\)\]", "[]", path).removeprefix(".")
        assert plain in fields | {"metadata.creationTimestamp"}


@each_kind
def test_conditions_are_as_kubernetes_has_them(kind: type[Kind]) -> None:
    conditions = dict(nodes(schema(kind)))["status.conditions"]
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]
    assert set(conditions["items"]["required"]) == {
        *("type", "status", "lastTransitionTime", "reason", "message")
    }
    assert "observedGeneration" in conditions["items"]["properties"]


@each_kind
def test_the_manifest_is_plain_yaml(kind: type[Kind]) -> None:
    """No anchors: some tools that carry CRDs about do not know them."""
    found: dict[str, Any] = yaml.safe_load(render(kind))
    assert found == manifest(kind)
    assert not re.search(r"^\s*\S+: [&*]id", render(kind), re.MULTILINE)
