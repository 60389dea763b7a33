"""The status of a custom resource, written by server-side apply to its subresource."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from penstock_operator.cluster.client import Cluster, custom
from penstock_operator.compile.parse import KINDS
from penstock_operator.compile.problem import ObjectRef
from penstock_operator.status import Condition

LEDGER_MANAGER: Final = "penstock-ledger"
"""Another field manager than that of the conditions: each takes back what is its own alone."""
DELIVERY_MANAGER: Final = "penstock-delivery"


async def apply_conditions(
    cluster: Cluster,
    ref: ObjectRef,
    uid: str,
    generation: int,
    conditions: Iterable[Condition],
) -> None:
    """Conditions that we wrote before and that are not among these disappear.

    `NotFound` or `Conflict` when the object is gone, or another one of its name is there.
    """
    document = {
        "metadata": {"name": ref.name, "namespace": ref.namespace, "uid": uid},
        "status": {
            "observedGeneration": generation,
            "conditions": [condition.document() for condition in conditions],
        },
    }
    resource = custom(ref.kind, KINDS[ref.kind].plural)
    await cluster.apply(resource, document, subresource="status")


async def apply_delivery(
    cluster: Cluster, ref: ObjectRef, uid: str, status: Mapping[str, Any]
) -> None:
    """Delivery's part of a RoutePolicy's status, as `apply_figures`."""
    document = {
        "metadata": {"name": ref.name, "namespace": ref.namespace, "uid": uid},
        "status": dict(status),
    }
    resource = custom(ref.kind, KINDS[ref.kind].plural)
    await cluster.apply(resource, document, subresource="status", manager=DELIVERY_MANAGER)


async def apply_figures(
    cluster: Cluster, ref: ObjectRef, uid: str, figures: Mapping[str, Any]
) -> None:
    """The ledger's part of a Budget's status. What it said before and says no longer disappears.

    `NotFound` or `Conflict` when the object is gone, or another one of its name is there.
    """
    document = {
        "metadata": {"name": ref.name, "namespace": ref.namespace, "uid": uid},
        "status": dict(figures),
    }
    resource = custom(ref.kind, KINDS[ref.kind].plural)
    await cluster.apply(resource, document, subresource="status", manager=LEDGER_MANAGER)
