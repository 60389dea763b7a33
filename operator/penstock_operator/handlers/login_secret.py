"""`penstock-operator redis-login` and `embedder-login`: Secrets that the chart's parts share.

    redis-login     the login at the chart's own Redis: Redis and the operator wait for it
    embedder-login  what namespaces' tokens are made from, and the embedder's password at Redis:
                    the embedder and the operator wait for it

Each is made once. A template cannot make it: each rendering would make another. Both run before
the operator, in the same pod.
"""

import base64
import logging
import secrets
from collections.abc import Mapping
from typing import Final

from penstock_operator.api.names import COMPONENT_LABEL
from penstock_operator.cluster import Cluster, Conflict, NotFound, connect
from penstock_operator.cluster.client import SECRETS, Document
from penstock_operator.cluster.published import LABELS
from penstock_operator.ledger.login import USER, users_file
from penstock_operator.settings import Settings

PASSWORD_BYTES: Final = 32
MANAGER_CHARACTERS: Final = 128
"""The API server takes no longer field manager."""
logger = logging.getLogger(__name__)
Values = Mapping[str, str]


async def run_redis_login(settings: Settings) -> None:
    """Returns when the Secret is there."""
    made = await _run(settings, redis_login(settings.namespace, settings.redis_login_secret))
    logger.info("redis_login.made" if made else "redis_login.kept")


async def run_embedder_login(settings: Settings) -> None:
    """Returns when the Secret is there."""
    made = await _run(settings, embedder_login(settings.namespace, settings.embedder_login_secret))
    logger.info("embedder_login.made" if made else "embedder_login.kept")


def redis_login(namespace: str, name: str) -> Document:
    """A Secret with another password at each call."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    values = {"username": USER, "password": password, "users.acl": users_file(password)}
    return _secret(namespace, name, "redis", values)


def embedder_login(namespace: str, name: str) -> Document:
    """A Secret with others at each call."""
    values = {
        "secret": secrets.token_urlsafe(PASSWORD_BYTES),
        "redis-password": secrets.token_urlsafe(PASSWORD_BYTES),
    }
    return _secret(namespace, name, "embedder", values)


async def _run(settings: Settings, secret: Document) -> bool:
    async with connect(settings.kubeconfig) as cluster:
        return await make_once(cluster, secret, settings.identity)


async def make_once(cluster: Cluster, secret: Document, identity: str) -> bool:
    """Whether it was made now; what is there stays.

    Two that begin at once name different managers and take nothing by force: the API server
    refuses the second. A POST would need the right to create Secrets of any name.
    """
    meta = secret["metadata"]
    try:
        await cluster.get(SECRETS, meta["name"], meta["namespace"])
    except NotFound:
        pass
    else:
        return False
    manager = f"penstock-{identity}"[:MANAGER_CHARACTERS]
    try:
        await cluster.apply(SECRETS, secret, manager=manager, force=False)
    except Conflict:
        return False
    return True


def _secret(namespace: str, name: str, component: str, values: Values) -> Document:
    labels = {**LABELS, COMPONENT_LABEL: component}
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "type": "Opaque",
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in values.items()},
    }
