"""What the webhook keeps in the cluster: its CA, and that CA in the webhook configuration."""

import base64
import contextlib
from collections.abc import Callable
from typing import Final

from penstock_operator.cluster.client import SECRETS, VALIDATING_WEBHOOKS, Cluster, Document
from penstock_operator.cluster.errors import Conflict, NotFound
from penstock_operator.cluster.published import LABELS

CA_SECRET_NAME: Final = "penstock-webhook-ca"  # noqa: S105  # a name
CERTIFICATE_KEY: Final = "ca.crt"
PRIVATE_KEY: Final = "ca.key"
Certificate = tuple[bytes, bytes]
"""Certificate and key, PEM."""


async def shared_ca(
    cluster: Cluster, namespace: str, made: Certificate, is_good: Callable[[Certificate], bool]
) -> Certificate:
    """The CA that all replicas use: `made`, where there is none yet or none that is good."""
    while True:
        found = await _stored(cluster, namespace)
        if found and (pair := _pair(found)) and is_good(pair):
            return pair
        with contextlib.suppress(Conflict):  # another replica was faster: look again
            await _store(cluster, namespace, made, found)
            return made


async def _stored(cluster: Cluster, namespace: str) -> Document | None:
    try:
        return await cluster.get(SECRETS, CA_SECRET_NAME, namespace)
    except NotFound:
        return None


async def _store(
    cluster: Cluster, namespace: str, made: Certificate, former: Document | None
) -> None:
    meta: Document = {"name": CA_SECRET_NAME, "namespace": namespace, "labels": _LABELS}
    fields = zip((CERTIFICATE_KEY, PRIVATE_KEY), made, strict=True)
    data = {key: base64.b64encode(value).decode() for key, value in fields}
    document: Document = {"metadata": meta, "type": "Opaque", "data": data}
    if former is None:
        await cluster.create(SECRETS, document)
        return
    meta["resourceVersion"] = former["metadata"]["resourceVersion"]
    await cluster.replace(SECRETS, {**document, "type": former.get("type", "Opaque")})


async def trust_ca(cluster: Cluster, configuration: str, certificate: bytes) -> bool:
    """Writes the CA into each of the configuration's webhooks; False when there is none."""
    try:
        found = await cluster.get(VALIDATING_WEBHOOKS, configuration)
    except NotFound:
        return False
    bundle = base64.b64encode(certificate).decode()
    entries = found.get("webhooks") or []
    if all(entry["clientConfig"].get("caBundle") == bundle for entry in entries):
        return True
    for entry in entries:
        entry["clientConfig"]["caBundle"] = bundle
    await cluster.replace(VALIDATING_WEBHOOKS, found)
    return True


_LABELS: Final = {**LABELS, "app.kubernetes.io/component": "webhook"}


def _pair(document: Document) -> Certificate | None:
    """`None` where one of the two is missing."""
    data = document.get("data") or {}
    try:
        return base64.b64decode(data[CERTIFICATE_KEY]), base64.b64decode(data[PRIVATE_KEY])
    except (KeyError, ValueError):
        return None
