"""The pair of objects in which a namespace's sidecars find their files."""

import base64
import binascii
import contextlib
import json
from typing import Final

from penstock_config.codec import config_file_name, credentials_file_name, digest
from penstock_config.credentials import RedisAccess
from penstock_config.older import OLDER_CREDENTIALS, OLDER_VERSION
from penstock_operator.api.names import (
    COMPONENT_LABEL,
    CONFIG_MAP,
    CREDENTIALS_SECRET,
    DIGEST_ANNOTATION,
)
from penstock_operator.cluster.client import CONFIG_MAPS, SECRETS, Cluster, Document
from penstock_operator.cluster.errors import NotFound
from penstock_operator.compile.files import File
from penstock_operator.plan import NamespacePlan

_OLDER_CREDENTIALS: Final = credentials_file_name(OLDER_CREDENTIALS)
LABELS: Final = {
    "app.kubernetes.io/managed-by": "penstock",
    "app.kubernetes.io/name": "penstock",
    COMPONENT_LABEL: "sidecar-configuration",
}


async def carry_out(cluster: Cluster, plan: NamespacePlan) -> None:
    """Writes or removes what the plan says; doing it twice changes nothing."""
    if plan.remove:
        await _remove(cluster, plan.namespace)
    if plan.credentials and plan.older_credentials:
        data = {
            credentials_file_name(): base64.b64encode(plan.credentials.data).decode(),
            _OLDER_CREDENTIALS: base64.b64encode(plan.older_credentials.data).decode(),
        }
        document = {**_meta(CREDENTIALS_SECRET, plan.namespace, plan.credentials), "data": data}
        await cluster.apply(SECRETS, {**document, "type": "Opaque"})
    if plan.config and plan.older:
        data = {
            config_file_name(): plan.config.data.decode(),
            config_file_name(OLDER_VERSION): plan.older.data.decode(),
        }
        document = {**_meta(CONFIG_MAP, plan.namespace, plan.config), "data": data}
        await cluster.apply(CONFIG_MAPS, document)


def config_digest(document: Document) -> str:
    """The digest of a ConfigMap's file; empty when the annotation, or our label, says otherwise."""
    return _digest_if_ours(document, _text(document, config_file_name()).encode())


def older_digest(document: Document) -> str:
    """The digest of the file for sidecars of the version before; empty when it is not there."""
    text = _text(document, config_file_name(OLDER_VERSION))
    return digest(text.encode()) if text else ""


def credentials_digest(document: Document) -> str:
    """As `config_digest`, of the Secret."""
    return _digest_if_ours(document, _decoded(document, credentials_file_name()))


def older_credentials_digest(document: Document) -> str:
    """As `older_digest`, of the Secret."""
    data = _decoded(document, _OLDER_CREDENTIALS)
    return digest(data) if data else ""


def scope_key(document: Document) -> str | None:
    """The namespace's scope key, also out of credentials of another version.

    Whoever may write Secrets there may have written anything: what we cannot write ourselves is no
    scope key.
    """
    try:
        credentials = json.loads(_credentials_file(document))
    except (ValueError, RecursionError):  # RecursionError: brackets without end
        return None
    key = credentials.get("scope_key") if isinstance(credentials, dict) else None
    return key if isinstance(key, str) and key.isascii() and key.isprintable() and key else None


def redis_access(document: Document) -> RedisAccess | None:
    """The way to Redis, also out of credentials of another version; see `scope_key`."""
    try:
        found = json.loads(_credentials_file(document))["redis"]
        json.dumps(found, ensure_ascii=False).encode()  # else it could not be written again
        return RedisAccess.model_validate(found)
    except (ValueError, RecursionError, TypeError, KeyError):  # ValueError: pydantic's too
        return None


def _text(document: Document, file: str) -> str:
    found: str = (document.get("data") or {}).get(file, "")
    return found


async def _remove(cluster: Cluster, namespace: str) -> None:
    for resource, name in ((CONFIG_MAPS, CONFIG_MAP), (SECRETS, CREDENTIALS_SECRET)):
        with contextlib.suppress(NotFound):
            await cluster.delete(resource, name, namespace)


def _meta(name: str, namespace: str, file: File) -> Document:
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": LABELS,
            "annotations": {DIGEST_ANNOTATION: file.digest},
        }
    }


def _credentials_file(document: Document) -> bytes:
    """The newest that is there: the operator before wrote another."""
    newest = _decoded(document, credentials_file_name())
    return newest or _decoded(document, _OLDER_CREDENTIALS)


def _decoded(document: Document, file: str) -> bytes:
    try:
        return base64.b64decode(_text(document, file), validate=True)
    except binascii.Error:
        return b""


def _digest_if_ours(document: Document, data: bytes) -> str:
    meta = document["metadata"]
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    found = digest(data)
    right = LABELS.items() <= labels.items() and annotations.get(DIGEST_ANNOTATION) == found
    return found if right else ""
