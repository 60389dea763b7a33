"""What the webhook keeps in the cluster: its CA, and that CA in the webhook configuration."""

import base64
from collections.abc import Callable
from typing import Final

from penstock_operator.cluster.client import SECRETS, VALIDATING_WEBHOOKS, Cluster, Document
from penstock_operator.cluster.errors import Conflict, NotFound
from penstock_operator.cluster.published import LABELS

CA_SECRET_NAME: Final = "penstock-webhook-ca"  # noqa: S105  # a name
CERTIFICATE_KEY: Final = "ca.crt"
PRIVATE_KEY: Final = "ca.key"


async def shared_ca(
    cluster: Cluster, namespace: str, make: Callable[[], tuple[bytes, bytes]]
) -> tuple[bytes, bytes]:
    """Certificate and key (PEM) that all replicas use: whoever comes first makes them."""
    try:
        return _pair(await cluster.get(SECRETS, CA_SECRET_NAME, namespace))
    except NotFound:
        certificate, key = make()
    document: Document = {
        "metadata": {"name": CA_SECRET_NAME, "namespace": namespace, "labels": _LABELS},
        "type": "Opaque",
        "data": {
            CERTIFICATE_KEY: base64.b64encode(certificate).decode(),
            PRIVATE_KEY: base64.b64encode(key).decode(),
        },
    }
    try:
        await cluster.create(SECRETS, document)
    except Conflict:
        return _pair(await cluster.get(SECRETS, CA_SECRET_NAME, namespace))
    return certificate, key


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


def _pair(document: Document) -> tuple[bytes, bytes]:
    data = document["data"]
    return base64.b64decode(data[CERTIFICATE_KEY]), base64.b64decode(data[PRIVATE_KEY])
