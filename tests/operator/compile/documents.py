"""Resources for tests, as short as they can be; `spec` fields go over the least that is needed."""

from typing import Any, Final

from penstock_operator.api.budget import Budget
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.model_tier import ModelTier
from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.compile.parse import API_VERSION, Resource, parse_resource
from penstock_operator.compile.problem import Problem

LEAST: Final[dict[str, dict[str, Any]]] = {
    "LLMProvider": {
        "type": "ollama",
        "baseURL": "http://ollama.llm.svc:11434",
        "models": [{"name": "m"}],
    },
    "ModelTier": {"models": [{"provider": {"name": "own"}, "model": "m"}]},
    "RoutePolicy": {"defaultTier": {"name": "fast"}},
    "Budget": {"limits": {"daily": "1"}},
}


def document(kind: str, name: str, namespace: str = "llm", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": LEAST[kind] | spec,
    }


def parsed(kind: str, name: str, namespace: str = "llm", **spec: Any) -> Resource:
    found = parse_resource(document(kind, name, namespace, **spec))
    assert not isinstance(found, Problem), found.text
    return found


def provider(name: str = "own", namespace: str = "llm", **spec: Any) -> LLMProvider:
    found = parsed("LLMProvider", name, namespace, **spec)
    assert isinstance(found, LLMProvider)
    return found


def tier(name: str = "fast", namespace: str = "llm", **spec: Any) -> ModelTier:
    found = parsed("ModelTier", name, namespace, **spec)
    assert isinstance(found, ModelTier)
    return found


def policy(name: str = "main", namespace: str = "llm", **spec: Any) -> RoutePolicy:
    found = parsed("RoutePolicy", name, namespace, **spec)
    assert isinstance(found, RoutePolicy)
    return found


def budget(name: str = "all", namespace: str = "llm", **spec: Any) -> Budget:
    found = parsed("Budget", name, namespace, **spec)
    assert isinstance(found, Budget)
    return found
