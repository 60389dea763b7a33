"""What the injector keeps in the cluster: its CAs in a Secret, and their bundle in the
configurations of its webhooks."""

import asyncio
import base64
import binascii
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from penstock_operator.api.names import COMPONENT_LABEL
from penstock_operator.cluster.client import (
    MUTATING_WEBHOOKS,
    SECRETS,
    VALIDATING_WEBHOOKS,
    Cluster,
    Document,
    Resource,
)
from penstock_operator.cluster.errors import ClusterError, NotFound
from penstock_operator.cluster.published import LABELS

CA_SECRET_NAME: Final = "penstock-webhook-ca"  # noqa: S105  # a name
KINDS: Final = (VALIDATING_WEBHOOKS, MUTATING_WEBHOOKS)
WATCH_RETRY_SECONDS: Final = 5
_LABELS: Final = {**LABELS, COMPONENT_LABEL: "injector"}
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredCa:
    """The Secret's data; the key in it is why this type does not print itself."""

    document: Document

    @property
    def data(self) -> Mapping[str, bytes]:
        """What is not base64 is left out."""
        return {
            key: value
            for key, text in (self.document.get("data") or {}).items()
            if (value := _decoded(text)) is not None
        }

    def __repr__(self) -> str:
        return "StoredCa(...)"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A ValidatingWebhookConfiguration or a MutatingWebhookConfiguration, as it was read."""

    resource: Resource
    document: Document

    @property
    def bundles(self) -> tuple[bytes, ...]:
        """The CA bundle of each of its webhooks; empty where there is none."""
        return tuple(
            _decoded(_client(each).get("caBundle") or "") or b""
            for each in self.document.get("webhooks") or ()
        )

    def with_bundle(self, bundle: bytes) -> Document:
        text = base64.b64encode(bundle).decode()
        entries = [
            {**each, "clientConfig": {**_client(each), "caBundle": text}}
            for each in self.document.get("webhooks") or ()
        ]
        return {**self.document, "webhooks": entries}


async def stored_ca(cluster: Cluster, namespace: str) -> StoredCa | None:
    try:
        return StoredCa(await cluster.get(SECRETS, CA_SECRET_NAME, namespace))
    except NotFound:
        return None


async def store_ca(
    cluster: Cluster, namespace: str, data: Mapping[str, bytes], former: StoredCa | None
) -> None:
    """`Conflict` when another replica was faster.

    The first one applies under a name of its own, and takes nothing by force: a POST would need the
    right to create Secrets of any name, and with it that to any account's token.
    """
    meta: Document = {"name": CA_SECRET_NAME, "namespace": namespace, "labels": _LABELS}
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    document: Document = {"metadata": meta, "type": "Opaque", "data": encoded}
    if former is None:
        manager = f"penstock-{secrets.token_hex(8)}"
        await cluster.apply(SECRETS, document, manager=manager, force=False)
        return
    meta["resourceVersion"] = former.document["metadata"]["resourceVersion"]
    type_ = former.document.get("type", "Opaque")  # it cannot be changed
    await cluster.replace(SECRETS, {**document, "type": type_})


async def configurations(cluster: Cluster, name: str) -> tuple[Configuration, ...]:
    """Those of that name which are there: none, one or two."""
    found = []
    for resource in KINDS:
        try:
            found.append(Configuration(resource, await cluster.get(resource, name)))
        except NotFound:
            continue
    return tuple(found)


async def carry(cluster: Cluster, configuration: Configuration, bundle: bytes) -> None:
    """Writes the bundle into each webhook; `Conflict` when it was changed since it was read."""
    await cluster.replace(configuration.resource, configuration.with_bundle(bundle))


async def watch_configurations(cluster: Cluster, name: str, changed: Callable[[], None]) -> None:
    """Calls `changed` at first and after each change of either. Runs until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for resource in KINDS:
            tasks.create_task(_watch(cluster, resource, name, changed))


async def _watch(
    cluster: Cluster, resource: Resource, name: str, changed: Callable[[], None]
) -> None:
    while True:
        try:
            async for _ in cluster.versions(resource, fields=f"metadata.name={name}"):
                changed()
        except ClusterError as error:
            logger.warning("webhooks.not_watched", extra={"error": str(error)})
        await asyncio.sleep(WATCH_RETRY_SECONDS)


def _client(entry: Document) -> Document:
    found = entry.get("clientConfig")
    return found if isinstance(found, dict) else {}


def _decoded(text: object) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None
