"""What kopf calls. Registered by call into a registry that is passed in, never by import."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kopf

from penstock_operator.cluster.connection import access, forgive_old_cas
from penstock_operator.handlers.reconciler import Reconciler
from penstock_operator.handlers.sources import Notebook, Source


class Connection(kopf.ConnectionInfo):
    """As kopf's, for the servers that ours reaches."""

    def as_ssl_context(self) -> ssl.SSLContext:
        return forgive_old_cas(super().as_ssl_context())


def register(
    registry: kopf.OperatorRegistry,
    watched: tuple[Source, ...],
    notebook: Notebook,
    reconciler: Reconciler,
    relisted: Callable[[], None],
) -> None:
    """Indexes and event handlers alone: with those, kopf writes nothing to any object.

    `relisted` hears whenever a watch begins with a list, and not where the last one ended.
    """
    for source in watched:
        _register_source(registry, source, notebook, reconciler, relisted)


def register_login(registry: kopf.OperatorRegistry, kubeconfig: Path | None) -> None:
    """As whom kopf speaks: as everybody else in this process."""

    async def login(**_kwargs: Any) -> kopf.ConnectionInfo:
        found = await access(kubeconfig)
        scheme, _, token = (found.authorization or "").partition(" ")
        return Connection(
            server=found.server,
            ca_path=found.ca_path,
            insecure=found.insecure,
            scheme=scheme.capitalize() or None,
            token=token or None,
            certificate_path=found.certificate_path,
            private_key_path=found.private_key_path,
            proxy_url=found.proxy_url,
        )

    kopf.on.login(registry=registry, id="login", errors=kopf.ErrorsMode.TEMPORARY, backoff=5)(login)


def _register_source(
    registry: kopf.OperatorRegistry,
    source: Source,
    notebook: Notebook,
    reconciler: Reconciler,
    relisted: Callable[[], None],
) -> None:
    resource = source.resource
    mark = reconciler.mark if source.urgent else reconciler.mark_later

    async def index(body: kopf.Body, **_: Any) -> None:
        """Called for each object, and before any event handler for all that exist at the start."""
        if notebook.note(source, dict(body)):
            mark()

    async def event(event: kopf.RawEvent, **_: Any) -> None:
        """Called only once every resource has been listed and indexed."""
        if event["type"] is None:
            relisted()
        if event["type"] == "DELETED" and notebook.note(source, dict(event["object"]), gone=True):
            mark()
        reconciler.begin()

    selector: dict[str, Any] = {
        "group": resource.group,
        "version": resource.version,
        "plural": resource.plural,
    }
    decorate: tuple[tuple[Callable[..., Any], Callable[..., Any], str], ...] = (
        (kopf.index, index, "index"),
        (kopf.on.event, event, "event"),
    )
    for decorator, function, what in decorate:
        decorator(**selector, registry=registry, id=f"{what}-{resource.plural}")(function)
