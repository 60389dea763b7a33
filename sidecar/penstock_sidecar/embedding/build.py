"""From credentials to the embedder's client."""

import logging

from penstock_config.credentials import Credentials
from penstock_sidecar.clock import Clock
from penstock_sidecar.embedding.client import EmbedderClient
from penstock_sidecar.trust import BadAuthorities
from penstock_sidecar.upstream.session import Route
from penstock_sidecar.upstream.ways import Reach

logger = logging.getLogger(__name__)


def open_embedder(
    credentials: Credentials, namespace: str, reach: Reach, clock: Clock, deadline_seconds: float
) -> EmbedderClient | None:
    """None where there is none, or where nothing says whom to trust: no other authority takes the
    place of one that is wanted."""
    access = credentials.embedder
    if access is None:
        return None
    try:
        session = reach.session(Route(ca_pem=access.ca_pem))
    except BadAuthorities:
        logger.error("embedder.authorities_unreadable")  # noqa: TRY400  # the text says it all
        return None
    return EmbedderClient(access, namespace, session, clock, deadline_seconds=deadline_seconds)
