"""What the types promise beyond the rules: closed, immutable, and true to their descriptions."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from penstock_operator.api.base import ApiModel, Kind
from penstock_operator.api.budget import Budget
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.preset import PRESETS
from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.crd import KINDS

METADATA = {"name": "x", "namespace": "y"}


def models_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Every type that a type is made of, itself included."""
    yield model
    for info in model.model_fields.values():
        yield from (found for part in parts(info.annotation) for found in models_in(part))


def parts(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from parts(argument)


TYPES = sorted(
    {found for kind in KINDS for found in models_in(kind) if issubclass(found, ApiModel)},
    key=lambda model: model.__name__,
)


def spelled(default: object) -> str | None:
    """A default as descriptions write it; `None` where they need not."""
    match default:
        case bool():
            return str(default).lower()
        case int():
            return str(default)
        case str():
            return default
        case tuple() if default and all(isinstance(item, str | int) for item in default):
            return f"[{', '.join(map(str, default))}]"
        case _:
            return None


@pytest.mark.parametrize("model", TYPES, ids=lambda model: model.__name__)
def test_defaults_are_told_as_they_are(model: type[ApiModel]) -> None:
    for name, info in model.model_fields.items():
        told = (info.description or "").rpartition("Default: ")[2]
        if expected := spelled(info.default):
            assert told.strip('."') == expected, name


@pytest.mark.parametrize("model", TYPES, ids=lambda model: model.__name__)
def test_types_are_closed_and_immutable(model: type[ApiModel]) -> None:
    assert model.model_config["extra"] == "forbid"
    assert model.model_config["frozen"]


def test_names_outside_are_camel_case() -> None:
    spec = {"preset": "vllm", "baseURL": "http://vllm:8000/v1", "models": [{"name": "m"}]}
    provider = LLMProvider.model_validate({"metadata": METADATA, "spec": spec})
    assert provider.spec.base_url == "http://vllm:8000/v1"
    assert provider.spec.model_dump(by_alias=True, exclude_unset=True)["baseURL"]


def test_what_the_server_adds_is_ignored() -> None:
    document = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "Budget",
        "metadata": {**METADATA, "managedFields": [], "uid": "u", "generation": 3},
        "spec": {"limits": {"daily": "10"}},
        "status": {"observedGeneration": 3},
    }
    budget = Budget.model_validate(document)
    assert (budget.id, budget.metadata.generation) == ("y/x", 3)


def test_an_unknown_field_of_a_spec_is_refused() -> None:
    spec = {"limits": {"daily": "10"}, "limit": {"daily": "10"}}
    with pytest.raises(ValidationError, match="limit"):
        Budget.model_validate({"metadata": METADATA, "spec": spec})


def test_a_cache_level_is_on_when_its_object_is_there() -> None:
    spec = {"defaultTier": {"name": "fast"}, "cache": {"exact": {}}}
    cache = RoutePolicy.model_validate({"metadata": METADATA, "spec": spec}).spec.cache
    assert cache.exact is not None
    assert cache.exact.ttl_seconds == 3600
    assert cache.semantic is None


def test_presets_that_fill_in_a_type_of_their_own_are_those_the_rules_name() -> None:
    """The CEL rules of LLMProvider spell them out."""
    assert {name: preset.type for name, preset in PRESETS.items() if preset.type != "openai"} == {
        "anthropic": "anthropic",
        "gemini": "gemini",
    }
    assert [name for name, preset in PRESETS.items() if preset.base_url is None] == ["vllm"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_kind_says_what_it_reports(kind: type[Kind]) -> None:
    assert {"observed_generation", "conditions"} <= kind.status_type.model_fields.keys()
