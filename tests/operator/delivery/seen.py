"""Pods as the inventory keeps them, and heartbeats as Redis does."""

from typing import Any

from penstock_config.heartbeat import Heartbeat
from penstock_config.policy import Policy, Selector
from penstock_operator.delivery.owner import Owner
from penstock_operator.delivery.pods import SeenPod
from penstock_operator.plan import Published

PUBLISHED = Published("config", "credentials")
OWNER = Owner("apps/v1", "ReplicaSet", "shop", "web", "uid-web")


def pod(name: str = "p", namespace: str = "shop", **fields: Any) -> SeenPod:
    labels = fields.pop("labels", {"app": "a"})
    return SeenPod(namespace, name, labels, uid=f"uid-{name}", **fields)


def beat(config: str = "config", credentials: str = "credentials", *, error: str = "") -> Heartbeat:
    return Heartbeat(
        config=config,
        credentials=credentials,
        version="0.1.0",
        schema_version=1,
        error=error,
        at=0.0,
    )


def policy(name: str = "app", **labels: str) -> Policy:
    return Policy(id=f"shop/{name}", selector=Selector(match_labels=labels), tiers=())
