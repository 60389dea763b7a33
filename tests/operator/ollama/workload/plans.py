"""Cases on disk, and random ones: a provider, what was planned for it, and what is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.compile.parse import parse_resource
from penstock_operator.ollama.planner.types import Group, Need, Slot
from penstock_operator.ollama.workload.installation import Found, Images, Installation
from penstock_operator.ollama.workload.objects import objects_of

CASES: Final = Path(__file__).parent / "cases"
NAMES: Final = sorted(path.name.removesuffix(".in.yaml") for path in CASES.glob("*.in.yaml"))
IMAGES: Final = Images("docker.io/ollama/ollama:0.32.15", "penstock-operator:1.0.0")
INSTALLATION: Final = Installation(IMAGES, "penstock-system")
NOTHING: Final = Found()
Document = dict[str, Any]


@dataclass(frozen=True)
class Planned:
    """What `objects_of` is asked."""

    provider: LLMProvider
    groups: tuple[Group, ...]
    needs: Mapping[str, Need]
    installation: Installation = INSTALLATION
    found: Found = NOTHING

    @property
    def objects(self) -> tuple[Document, ...]:
        return objects_of(self.provider, self.groups, self.needs, self.installation, self.found)


def provider_of(document: Document) -> LLMProvider:
    found = parse_resource(document)
    assert isinstance(found, LLMProvider), found
    return found


def read(name: str) -> Planned:
    provider, plan = yaml.safe_load_all((CASES / f"{name}.in.yaml").read_text("utf-8"))
    parsed = provider_of(provider)
    return Planned(
        parsed,
        tuple(group_of(parsed.id, each) for each in plan["groups"]),
        {each["model"]: need_of(each) for each in plan["needs"]},
        _installation(plan.get("installation", {})),
        _found(plan.get("found", {})),
    )


def need_of(said: Mapping[str, Any]) -> Need:
    return Need(
        said["model"],
        said["weights"],
        said.get("kv", 0),
        said.get("overhead", 0),
        said.get("parallel", 1),
        said.get("context", 4096),
    )


def group_of(provider: str, said: Mapping[str, Any]) -> Group:
    models = tuple(said["models"])
    slots = (Slot("nvidia.com/gpu", i, mib, "") for i, mib in enumerate(said.get("slots", ())))
    return Group(
        name=said["name"],
        provider=provider,
        node=said["node"],
        models=models,
        loaded=tuple(said.get("loaded", models)),
        replicas=said["replicas"],
        resources=said["resources"],
        slots=tuple(slots),
        required_mib=0,
        why="",
    )


def _installation(said: Mapping[str, Any]) -> Installation:
    images = Images(IMAGES.ollama, IMAGES.loader, pull_secrets=tuple(said.get("pullSecrets", ())))
    return Installation(
        images,
        "penstock-system",
        said.get("environment", {}),
        said.get("runtimeClass", ""),
        said.get("networkPolicies", True),
        said.get("oldBudgets", False),
        said.get("probesHaveGrace", True),
    )


def _found(said: Mapping[str, Any]) -> Found:
    return Found(
        hostnames=said.get("hostnames", {}),
        claims=said.get("claims", {}),
        pausable=frozenset(said.get("pausable", ())),
    )
