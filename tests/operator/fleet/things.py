"""Deployments, pods and progress for tests, as short as they can be."""

from datetime import UTC, datetime
from typing import Any

from penstock_operator.api.ollama import Ollama
from penstock_operator.fleet.facts import Facts
from penstock_operator.fleet.observed import PLACEMENT_ANNOTATION, Pod, Told, placement_text
from penstock_operator.ollama.planner.types import Group, Need, Slot
from penstock_operator.ollama.progress import ModelProgress, Progress

AT = datetime(2026, 11, 22, tzinfo=UTC)
GIB = 1024**3
GPU = {"nvidia.com/gpu": 1}
SLOT = Slot("nvidia.com/gpu", 0, 23_034, "NVIDIA-L4", foreign_mib=7)


def ollama(*models: str, **fields: Any) -> Ollama:
    listed = [{"name": name} for name in models or ("m",)]
    return Ollama.model_validate({"models": listed, "gpu": {}} | fields)


def group(name: str = "g", node: str | None = "n1", *models: str, **fields: Any) -> Group:
    said: dict[str, Any] = {
        "name": name,
        "provider": "llm/own",
        "node": node,
        "models": models or ("m",),
        "loaded": models or ("m",),
        "replicas": 1,
        "resources": GPU if node else {},
        "slots": (SLOT,) if node else (),
        "required_mib": 3_000,
        "why": "it fits there",
    }
    return Group(**said | fields)


def need(model: str = "m") -> Need:
    return Need(model, weights_mib=2_000, kv_mib=500, overhead_mib=500)


def pod(name: str = "p", group: str = "g", **fields: Any) -> Pod:
    said: dict[str, Any] = {
        "uid": f"uid-{name}",
        "name": name,
        "provider": "llm/own",
        "group": group,
        "node": "n1",
        "address": "10.0.0.7",
        "ready": True,
        "leaving": False,
    }
    return Pod(**said | fields)


def model(name: str = "m", state: Any = "Ready", **fields: Any) -> ModelProgress:
    ready = {"size_bytes": 2 * GIB, "vram_bytes": 2 * GIB} if state == "Ready" else {}
    return ModelProgress(**{"name": name, "state": state} | ready | fields)


def told(*models: ModelProgress, of: Pod | None = None, ready: bool | None = None) -> Told:
    """By default of a ready pod whose only model is ready."""
    said = models or (model(),)
    all_there = all(each.state in {"Ready", "Idle"} for each in said)
    found = of or pod(ready=all_there)
    return Told(found, Progress(ready=all_there if ready is None else ready, models=said))


def facts(**fields: Any) -> Facts:
    said: dict[str, Any] = {
        "generation": 3,
        "ollama": ollama(),
        "wanted": 1,
        "groups": (group(),),
        "needs": {"m": need()},
        "pods": (told(),),
    }
    return Facts(**said | fields)


def deployment(of: Group, **fields: Any) -> dict[str, Any]:
    """As the API server has it."""
    namespace, _, provider = of.provider.partition("/")
    labels = {"penstock.dev/provider": provider, "penstock.dev/placement-group": of.name}
    return {
        "metadata": {
            "name": of.name,
            "namespace": namespace,
            "labels": labels,
            "annotations": {PLACEMENT_ANNOTATION: placement_text(of)},
        },
        "spec": {"replicas": of.replicas},
    } | fields
