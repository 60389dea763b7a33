"""Custom resource types in, CustomResourceDefinition manifests out.

`python -m penstock_operator.crd crds/` writes them; a test fails when they are stale. The API
server takes a subset of OpenAPI v3.0, "structural schemas" (KEP-2335), which is narrower than the
JSON Schema that pydantic writes; `StructuralSchema` and `_inline` close the gap.
"""

import re
import sys
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from penstock_operator.api import GROUP, VERSION
from penstock_operator.api.base import ApiModel, Kind
from penstock_operator.api.budget import Budget
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.model_tier import ModelTier
from penstock_operator.api.route_policy import RoutePolicy

KINDS: Final[tuple[type[Kind], ...]] = (LLMProvider, ModelTier, RoutePolicy, Budget)
_DROPPED: Final = frozenset({"title", "$defs", "discriminator"})
_ENVELOPE: Final[dict[str, Any]] = {
    "apiVersion": {"type": "string", "description": f"Always `{GROUP}/{VERSION}`."},
    "kind": {"type": "string", "description": "Name of the kind."},
    "metadata": {"type": "object"},
}


class StructuralSchema(GenerateJsonSchema):
    """Say what a CRD can hold where pydantic says `anyOf: [T, null]`, `const` or `default`."""

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])  # optional means absent, never null

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])  # defaults live in code, not in stored objects

    def literal_schema(self, schema: Any) -> JsonSchemaValue:
        choices = list(schema["expected"])
        return {"type": "integer" if isinstance(choices[0], int) else "string", "enum": choices}

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        out = super().model_schema(schema)
        model = schema["cls"]
        if issubclass(model, ApiModel) and model.invariants:
            out["x-kubernetes-validations"] = [
                {"rule": rule.cel, "message": rule.message} for rule in model.invariants
            ]
        return out


def structural(
    model: type[BaseModel], generator: type[GenerateJsonSchema] = StructuralSchema
) -> dict[str, Any]:
    """The OpenAPI v3.0 structural schema of `model`."""
    root = model.model_json_schema(by_alias=True, schema_generator=generator)
    schema: dict[str, Any] = _inline(root, root.get("$defs", {}))
    return schema


def _inline(node: Any, defs: dict[str, Any], *, names: bool = False) -> Any:
    """Resolve `$ref`, drop what the API server refuses; `names`: keys are property names."""
    if isinstance(node, list):
        return [_inline(item, defs) for item in node]
    if not isinstance(node, dict):
        return node
    if ref := node.get("$ref"):
        node = defs[ref.removeprefix("#/$defs/")] | {k: v for k, v in node.items() if k != "$ref"}
    kept = {k: v for k, v in node.items() if names or k not in _DROPPED}
    out = {k: _inline(v, defs, names=k == "properties" and not names) for k, v in kept.items()}
    return out if names else _as_openapi(out)


def _as_openapi(node: dict[str, Any]) -> dict[str, Any]:
    """Rewrite what JSON Schema and OpenAPI v3.0 spell differently."""
    if "properties" in node:
        node.pop("additionalProperties", None)
    for side, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if side in node:
            node[bound], node[side] = node[side], True
    return node


def _whole(model: type[Kind]) -> dict[str, Any]:
    """The schema of the object: its spec, its status, and what every object has."""
    schema = structural(model)
    spec = schema["properties"]["spec"]
    status = structural(model.status_type)
    return schema | {
        "properties": _ENVELOPE | {"spec": spec, "status": status},
        "required": ["spec"],
    }


def manifest(model: type[Kind]) -> dict[str, Any]:
    """The CustomResourceDefinition of `model`."""
    names = {
        "kind": model.kind,
        "listKind": f"{model.kind}List",
        "plural": model.plural,
        "singular": model.kind.lower(),
        "shortNames": list(model.short_names),
        "categories": ["penstock"],
    }
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            {"name": name, "type": type_, "jsonPath": path, "priority": priority}
            for name, type_, path, priority in model.columns
        ],
        "schema": {"openAPIV3Schema": _whole(model)},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{model.plural}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def render(model: type[Kind]) -> str:
    """The manifest as YAML, byte for byte what `crds/` holds."""
    body = yaml.safe_dump(manifest(model), sort_keys=False, width=100, allow_unicode=True)
    return f"# Generated by `python -m penstock_operator.crd crds/`. Do not edit.\n{body}"


_RULES: Final = re.compile(r"^( *)x-kubernetes-validations:\n(?:\1[- ] .*\n|\n)*", re.MULTILINE)


def chart_template(model: type[Kind]) -> str:
    """The same as a template of the chart: behind a value, and kept by `helm uninstall`.

    Helm never upgrades what a chart has in a `crds/` of its own. Servers before 1.25 do not know
    rules, and Helm sends them no field that they do not know.
    """
    comment, api_version, kind, metadata, name, rest = render(model).split("\n", 5)
    escaped = rest.replace("{{", '{{ "{{" }}')
    lines = [
        "{{- if .Values.crds.enabled }}",
        '{{- $rules := semverCompare ">=1.25-0" .Capabilities.KubeVersion.Version }}',
        comment,
        api_version,
        kind,
        metadata,
        name,
        "  annotations: {helm.sh/resource-policy: keep}",
        '  labels: {{- include "penstock.labels" (dict "root" $ "part" "crds") | nindent 4 }}',
        _RULES.sub(r"{{- if $rules }}\n\g<0>{{- end }}\n", escaped) + "{{- end }}",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    directory = Path(*sys.argv[1:2] or ["crds"])
    templates = Path(*sys.argv[2:3] or ["charts/penstock/templates/crds"])
    for each in KINDS:
        (directory / f"{each.plural}.yaml").write_text(render(each), "utf-8")
        (templates / f"{each.plural}.yaml").write_text(chart_template(each), "utf-8")
