"""Secrets of provider namespaces: which there are, and the values of single ones."""

import base64
import binascii
from collections.abc import AsyncIterator, Mapping

from penstock_operator.cluster.client import SECRETS, Cluster
from penstock_operator.cluster.errors import NotFound


async def secret_values(cluster: Cluster, namespace: str, name: str) -> Mapping[str, bytes] | None:
    """Decoded; `None` when there is no such Secret."""
    try:
        document = await cluster.get(SECRETS, name, namespace)
    except NotFound:
        return None
    values = {}
    for key, text in (document.get("data") or {}).items():
        try:
            values[key] = base64.b64decode(text, validate=True)
        except binascii.Error:
            continue
    return values


def secret_versions(cluster: Cluster, namespace: str) -> AsyncIterator[Mapping[str, str]]:
    """`resourceVersion` by name, again after each change. No values are fetched."""
    return cluster.versions(SECRETS, namespace)
