"""Cases for the rules of the CRDs, on disk in `cel/<plural>/*.yaml`: one a YAML document.

`case` says what it is; `spec` is the object's; `updated` is what it is then changed into; `refused`
is `<path>: <message>` (without a message: whatever is wrong there), absent where it is accepted.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from penstock_operator.api import GROUP, VERSION
from penstock_operator.api.base import Kind
from penstock_operator.crd import KINDS

HERE = Path(__file__).parent / "cel"
ROOT = Path(__file__).parents[2]
URLS: Mapping[str, list[str]] = yaml.safe_load((HERE / "llmproviders/urls.yaml").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Case:
    """An object, and what the API server says to it."""

    kind: type[Kind]
    sentence: str
    spec: Mapping[str, Any]
    updated: Mapping[str, Any] | None = None
    refused: str | None = None

    def __str__(self) -> str:
        return f"{self.kind.plural}: {self.sentence}"

    @property
    def path(self) -> str:
        return self.refused.partition(":")[0] if self.refused else ""

    @property
    def message(self) -> str:
        return self.refused.partition(":")[2].strip() if self.refused else ""

    def document(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": self.kind.kind,
            "metadata": {"name": "case", "namespace": "default"},
            "spec": spec,
        }


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """A rule where it stands in a CRD: `path` is without indices, such as `spec.limits[]`."""

    plural: str
    path: str
    message: str
    is_transition: bool

    def __str__(self) -> str:
        return f"{self.plural} {self.path}: {self.message}"


@cache
def cases() -> tuple[Case, ...]:
    return (*_on_disk(), *_of_urls())


def _on_disk() -> Iterator[Case]:
    for kind in KINDS:
        for path in sorted((HERE / kind.plural).glob("*.yaml")):
            if path.name == "urls.yaml":
                continue
            for found in yaml.safe_load_all(path.read_text("utf-8")):
                yield Case(kind, sentence=found.pop("case"), **found)


def _of_urls() -> Iterator[Case]:
    provider = next(kind for kind in KINDS if kind.plural == "llmproviders")
    answers = {
        "accepted": None,
        "local": "spec: {} must not lead to this machine, its link or a metadata service:"
        " give the provider's address",
        "malformed": "spec.{}:",
    }
    for answer, refused in answers.items():
        for url in URLS[answer]:
            for field in ("baseURL", "proxyURL"):
                spec = {"preset": "openai", "models": [{"name": "m"}], field: url}
                said = refused.format(field) if refused else None
                yield Case(provider, f"{field} {url}", spec, refused=said)


def schema(kind: type[Kind]) -> dict[str, Any]:
    """What `crds/` says of the kind."""
    manifest = yaml.safe_load((ROOT / "crds" / f"{kind.plural}.yaml").read_text("utf-8"))
    found: dict[str, Any] = manifest["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def nodes(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every node of a schema with its path, such as `spec.models[].name`."""
    yield path, node
    for name, sub in node.get("properties", {}).items():
        yield from nodes(sub, f"{path}.{name}".lstrip("."))
    if isinstance(items := node.get("items"), dict):
        yield from nodes(items, f"{path}[]")


@cache
def sites() -> tuple[Site, ...]:
    """Every rule of every CRD."""
    return tuple(
        Site(kind.plural, path, rule["message"], "oldSelf" in rule["rule"])
        for kind in KINDS
        for path, node in nodes(schema(kind))
        for rule in node.get("x-kubernetes-validations", ())
    )


def without_indices(path: str) -> str:
    return re.sub(r"\[\d+\]", "[]", path)


def set_paths(value: Any, path: str) -> Iterator[str]:
    """Every path that is set in a spec, without indices."""
    yield path
    if isinstance(value, Mapping):
        for name, sub in value.items():
            yield from set_paths(sub, f"{path}.{name}")
    elif isinstance(value, list):
        for sub in value:
            yield from set_paths(sub, f"{path}[]")
