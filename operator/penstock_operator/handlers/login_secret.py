"""`penstock-operator redis-login`: the Secret with the login at the chart's own Redis, made once.

A template cannot make it: each rendering would make another. Redis and the operator both wait for
it, so that it runs before the operator, in the same pod.
"""

import base64
import logging
import secrets
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
_LABELS: Final = {**LABELS, COMPONENT_LABEL: "redis"}
logger = logging.getLogger(__name__)


async def run_redis_login(settings: Settings) -> None:
    """Returns when the Secret is there."""
    async with connect(settings.kubeconfig) as cluster:
        made = await make_login(
            cluster, settings.namespace, settings.redis_login_secret, settings.identity
        )
    logger.info("redis_login.made" if made else "redis_login.kept")


async def make_login(cluster: Cluster, namespace: str, name: str, identity: str) -> bool:
    """Whether it was made now; what is there stays.

    Two that begin at once name different managers and take nothing by force: the API server
    refuses the second. A POST would need the right to create Secrets of any name.
    """
    try:
        await cluster.get(SECRETS, name, namespace)
    except NotFound:
        pass
    else:
        return False
    manager = f"penstock-{identity}"[:MANAGER_CHARACTERS]
    try:
        await cluster.apply(SECRETS, _login(namespace, name), manager=manager, force=False)
    except Conflict:
        return False
    return True


def _login(namespace: str, name: str) -> Document:
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    values = {"username": USER, "password": password, "users.acl": users_file(password)}
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": _LABELS},
        "type": "Opaque",
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in values.items()},
    }
