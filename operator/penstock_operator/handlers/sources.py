"""What is watched, and where in the inventory it is noted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from penstock_operator.api.names import CONFIG_MAP, CREDENTIALS_SECRET
from penstock_operator.cluster import client
from penstock_operator.cluster.client import Cluster, Resource
from penstock_operator.compile.parse import KINDS
from penstock_operator.handlers.inventory import SIDECAR_SELECTOR, Body, Inventory

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """One watch. Selectors are the server's, so that nothing else is ever sent to us."""

    resource: Resource
    note: Callable[..., bool]
    """Of `Inventory`, taking (inventory, body, gone=...)."""
    namespaced: bool = True
    labels: str = ""
    fields: str = ""
    urgent: bool = True
    """Whether a change is to be compiled at once."""


CUSTOM: Final = tuple(
    Source(client.custom(kind.kind, kind.plural), Inventory.note_object) for kind in KINDS.values()
)
NAMESPACES: Final = Source(client.NAMESPACES, Inventory.note_namespace, namespaced=False)
OTHERS: Final = (
    # How many there are may be known a little later: thousands may come in a minute.
    Source(client.PODS, Inventory.note_pod, labels=SIDECAR_SELECTOR, urgent=False),
    Source(client.CONFIG_MAPS, Inventory.note_config, fields=f"metadata.name={CONFIG_MAP}"),
    # By name: a Role can grant exactly this watch (resourceNames), and no other Secret is sent.
    Source(
        client.SECRETS, Inventory.note_credentials, fields=f"metadata.name={CREDENTIALS_SECRET}"
    ),
)


def sources(*, cluster_wide: bool) -> tuple[Source, ...]:
    """Namespaces can only be watched by whoever may see all of them."""
    return (*CUSTOM, *OTHERS, *((NAMESPACES,) if cluster_wide else ()))


class Notebook:
    """Notes what a source says, and which objects of it are known."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._known: dict[Resource, dict[Key, str]] = {}

    @property
    def empty(self) -> bool:
        """Whether nothing at all is known."""
        return not any(self._known.values())

    def note(self, source: Source, body: Body, *, gone: bool = False) -> bool:
        """Whether anything changed that a compilation looks at."""
        meta, known = body["metadata"], self._known.setdefault(source.resource, {})
        key = (meta.get("namespace", ""), meta["name"])
        if gone:
            known.pop(key, None)
        else:
            known[key] = meta["resourceVersion"]
        return source.note(self._inventory, {"kind": source.resource.kind, **body}, gone=gone)

    async def compare(self, cluster: Cluster, source: Source, namespace: str | None) -> bool:
        """Lists, and notes what a watch has missed: kopf forgets deletions when it must relist."""
        known = self._known.setdefault(source.resource, {})
        before = {key: v for key, v in known.items() if namespace in (None, key[0])}
        listed = await cluster.list(
            source.resource, namespace, labels=source.labels, fields=source.fields
        )
        keys = {(b["metadata"].get("namespace", ""), b["metadata"]["name"]): b for b in listed}
        added = [body for key, body in keys.items() if key not in known]
        # Whatever changed since the list was asked for is the watch's business.
        gone = [key for key, v in before.items() if key not in keys and known.get(key) == v]
        changed = [self.note(source, body) for body in added]
        changed += [self.note(source, body, gone=True) for body in map(_stub, gone)]
        return any(changed)


def _stub(key: Key) -> Body:
    return {"metadata": {"namespace": key[0], "name": key[1]}}
