"""The status of a custom resource, written by server-side apply to its subresource.

Each part of it has a field manager of its own: what one said before and says no longer disappears,
and what the others said stays. `NotFound` or `Conflict` when the object is gone, or another one of
its name is there.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from penstock_operator.cluster.client import FIELD_MANAGER, Cluster, custom
from penstock_operator.compile.parse import KINDS
from penstock_operator.compile.problem import ObjectRef
from penstock_operator.status import Condition

LEDGER_MANAGER: Final = "penstock-ledger"
DELIVERY_MANAGER: Final = "penstock-delivery"
HEALTH_MANAGER: Final = "penstock-health"
FLEET_MANAGER: Final = "penstock-fleet"
WARMING_MANAGER: Final = "penstock-warming"


async def apply_conditions(
    cluster: Cluster,
    ref: ObjectRef,
    uid: str,
    generation: int,
    conditions: Iterable[Condition],
) -> None:
    """What was compiled, and written, of the object."""
    status = {
        "observedGeneration": generation,
        "conditions": [condition.document() for condition in conditions],
    }
    await _apply(cluster, ref, uid, status, FIELD_MANAGER)


async def apply_delivery(
    cluster: Cluster, ref: ObjectRef, uid: str, status: Mapping[str, Any]
) -> None:
    """Delivery's part of a RoutePolicy's status."""
    await _apply(cluster, ref, uid, status, DELIVERY_MANAGER)


async def apply_warming(
    cluster: Cluster, ref: ObjectRef, uid: str, status: Mapping[str, Any]
) -> None:
    """Warming's part of a RoutePolicy's status."""
    await _apply(cluster, ref, uid, status, WARMING_MANAGER)


async def apply_health(
    cluster: Cluster, ref: ObjectRef, uid: str, status: Mapping[str, Any]
) -> None:
    """Health's part of an LLMProvider's or a ModelTier's status."""
    await _apply(cluster, ref, uid, status, HEALTH_MANAGER)


async def apply_fleet(
    cluster: Cluster, ref: ObjectRef, uid: str, status: Mapping[str, Any]
) -> None:
    """The fleet's part of an LLMProvider's status."""
    await _apply(cluster, ref, uid, status, FLEET_MANAGER)


async def apply_figures(
    cluster: Cluster, ref: ObjectRef, uid: str, figures: Mapping[str, Any]
) -> None:
    """The ledger's part of a Budget's status."""
    await _apply(cluster, ref, uid, figures, LEDGER_MANAGER)


async def _apply(
    cluster: Cluster, ref: ObjectRef, uid: str, status: Mapping[str, Any], manager: str
) -> None:
    """With the UID, so that another object of the same name is never written to."""
    document = {
        "metadata": {"name": ref.name, "namespace": ref.namespace, "uid": uid},
        "status": dict(status),
    }
    resource = custom(ref.kind, KINDS[ref.kind].plural)
    await cluster.apply(resource, document, subresource="status", manager=manager)
