"""The API server's verbs, for any resource. Knows no domain; documents are JSON objects."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from kubernetes.aio import client as kube
from kubernetes.aio.client.rest import RESTResponse

from penstock_operator import api as resources
from penstock_operator.cluster.errors import (
    ClusterError,
    ClusterUnreachable,
    Fenced,
    from_status,
)

Document = dict[str, Any]
"""An object as the API server sends it. Domain modules parse it before it goes further."""

FIELD_MANAGER: Final = "penstock-operator"
CALL_SECONDS: Final = 15
WRITE_SECONDS: Final = 4
"""Less than lies between a leader giving up and the next beginning: no write lands late."""
WATCH_SECONDS: Final = 120
"""A watch ends and begins again this often, so that a dead connection is noticed."""
CHUNK: Final = 500
"""Objects per answer of a list."""
WATCH_PAUSE_SECONDS: Final = 1
"""Between two watches: something on the way may cut each as soon as it begins."""
METADATA_ONLY: Final = "application/json;as=PartialObjectMetadata{list};g=meta.k8s.io;v=v1"


@dataclass(frozen=True, slots=True)
class Resource:
    """What the API server calls a kind of object."""

    group: str
    version: str
    kind: str
    plural: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str = "", subresource: str = "") -> str:
        """`namespace` of `None`: all of them, or a resource outside namespaces.

        Quoted: who calls the webhook says the namespace of an Event.
        """
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        parts += ["namespaces", namespace] if namespace else []
        parts += [self.plural, *filter(None, (name, subresource))]
        return "/".join(["", *(quote(part, safe="") for part in parts)])


CONFIG_MAPS: Final = Resource("", "v1", "ConfigMap", "configmaps")
CLAIMS: Final = Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
DEPLOYMENTS: Final = Resource("apps", "v1", "Deployment", "deployments")
EVENTS: Final = Resource("", "v1", "Event", "events")
LEASES: Final = Resource("coordination.k8s.io", "v1", "Lease", "leases")
NAMESPACES: Final = Resource("", "v1", "Namespace", "namespaces")
NETWORK_POLICIES: Final = Resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")
NODES: Final = Resource("", "v1", "Node", "nodes")
POD_DISRUPTION_BUDGETS: Final = Resource(
    "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"
)
OLD_POD_DISRUPTION_BUDGETS: Final = Resource(
    "policy", "v1beta1", "PodDisruptionBudget", "poddisruptionbudgets"
)
"""Of servers before 1.21."""
PODS: Final = Resource("", "v1", "Pod", "pods")
SECRETS: Final = Resource("", "v1", "Secret", "secrets")
SERVICES: Final = Resource("", "v1", "Service", "services")
MUTATING_WEBHOOKS: Final = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
)
VALIDATING_WEBHOOKS: Final = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
)


def custom(kind: str, plural: str) -> Resource:
    """One of our own kinds."""
    return Resource(resources.GROUP, resources.VERSION, kind, plural)


class Cluster:
    """Bound to the event loop in which it was made.

    Nothing is written while `may_write` is false (`Fenced`).
    """

    def __init__(self, api: kube.ApiClient, may_write: Callable[[], bool] = lambda: True) -> None:
        self._api = api
        self._may_write = may_write

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Document:
        return await self._call("GET", resource.path(namespace, name))

    async def list_cached(
        self, resource: Resource, namespace: str | None, *, labels: str = "", fields: str = ""
    ) -> Sequence[Document]:
        """As `list`, out of the API server's memory: cheap, in one piece, and perhaps a moment
        old."""
        query = {"resourceVersion": "0"}
        query |= {"labelSelector": labels} if labels else {}
        query |= {"fieldSelector": fields} if fields else {}
        answer = await self._call("GET", resource.path(namespace), query)
        found: Sequence[Document] = answer.get("items") or []
        return found

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
    ) -> list[Document]:
        """All objects that the selectors take, fetched in chunks."""
        pages = self.pages(resource, namespace, labels=labels, fields=fields)
        return [each async for page in pages for each in page]

    async def pages(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
    ) -> AsyncGenerator[Sequence[Document], None]:
        """As `list`, chunk by chunk: for what is large and not kept."""
        selectors = {"labelSelector": labels, "fieldSelector": fields}
        query = {"limit": str(CHUNK)} | {key: text for key, text in selectors.items() if text}
        while True:
            answer = await self._call("GET", resource.path(namespace), query)
            yield answer.get("items") or []
            token = answer.get("metadata", {}).get("continue")
            if not token:
                return
            query["continue"] = token

    async def create(self, resource: Resource, document: Document) -> Document:
        """`Conflict` when the name is taken."""
        path = resource.path(document["metadata"].get("namespace"))
        return await self._call("POST", path, body=_typed(resource, document))

    async def replace(self, resource: Resource, document: Document) -> Document:
        """`Conflict` when it is not the version that `metadata.resourceVersion` names."""
        meta = document["metadata"]
        path = resource.path(meta.get("namespace"), meta["name"])
        return await self._call("PUT", path, body=_typed(resource, document))

    async def apply(
        self,
        resource: Resource,
        document: Document,
        *,
        subresource: str = "",
        manager: str = FIELD_MANAGER,
        force: bool = True,
    ) -> Document:
        """Server-side apply: the document is all that we own, and what is ours we take.

        Without `force`, `Conflict` when another manager owns it with another value.
        """
        meta = document["metadata"]
        return await self._call(
            "PATCH",
            resource.path(meta.get("namespace"), meta["name"], subresource),
            {"fieldManager": manager, "force": str(force).lower()},
            body=_typed(resource, document),
            content_type="application/apply-patch+yaml",
        )

    async def merge(self, resource: Resource, document: Document) -> Document:
        """Merge patch: changes what the document names, and leaves the rest; its metadata comes
        back. `NotFound` when there is none, `Refused` when `metadata.uid` is another's."""
        meta = document["metadata"]
        return await self._call(
            "PATCH",
            resource.path(meta.get("namespace"), meta["name"]),
            {"fieldManager": FIELD_MANAGER},
            body=document,
            content_type="application/merge-patch+json",
            accept=METADATA_ONLY.format(list=""),
        )

    async def delete(self, resource: Resource, name: str, namespace: str | None = None) -> None:
        """`NotFound` when it is gone already."""
        await self._call("DELETE", resource.path(namespace, name))

    async def version(self) -> tuple[int, int]:
        """Major and minor of the server's version."""
        found = await self._call("GET", "/version")
        return int(found["major"]), int(found["minor"].rstrip("+"))  # some clouds write "29+"

    async def served(self, group: str, version: str) -> frozenset[str]:
        """The plural names of a group's resources; empty when the group is unknown."""
        try:
            answer = await self._call("GET", f"/apis/{group}/{version}")
        except ClusterError as error:
            if isinstance(error, ClusterUnreachable):
                raise
            return frozenset()
        return frozenset(found["name"] for found in answer.get("resources", ()))

    async def versions(
        self, resource: Resource, namespace: str | None = None, *, fields: str = ""
    ) -> AsyncIterator[Mapping[str, str]]:
        """`resourceVersion` by name, at first and after each change, without the objects' content.

        Ends when the server has forgotten where we were: begin again.
        """
        path = resource.path(namespace)
        accept = METADATA_ONLY.format(list="List")
        selector = {"fieldSelector": fields} if fields else {}
        listed = await self._call("GET", path, selector, accept=accept)
        found = [each["metadata"] for each in listed.get("items") or ()]  # null when there is none
        known = {meta["name"]: meta["resourceVersion"] for meta in found}
        since = listed["metadata"]["resourceVersion"]
        while True:
            yield dict(known)
            async for event in self._watch(path, since, selector):
                meta = event["object"].get("metadata", {})
                if event["type"] == "ERROR":
                    return
                since = meta["resourceVersion"]
                if event["type"] == "BOOKMARK":
                    continue
                if event["type"] == "DELETED":
                    known.pop(meta["name"], None)
                else:
                    known[meta["name"]] = since
                yield dict(known)
            await asyncio.sleep(WATCH_PAUSE_SECONDS)

    async def _watch(
        self, path: str, since: str, selector: Mapping[str, str]
    ) -> AsyncIterator[Document]:
        query = {
            **selector,
            "watch": "true",
            "resourceVersion": since,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        with _translated(f"WATCH {path}"):
            answer = await self._send(
                "GET",
                path,
                query,
                accept=METADATA_ONLY.format(list=""),
                seconds=WATCH_SECONDS + CALL_SECONDS,
            )
            try:
                if answer.status != HTTPStatus.OK:
                    raise from_status(answer.status, await answer.response.read(), f"WATCH {path}")
                async for line in answer.response.content:
                    yield json.loads(line)
            finally:
                answer.response.close()

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Document | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Document:
        if method != "GET" and not self._may_write():
            msg = f"{method} {path}: not sent, another replica may be active"
            raise Fenced(msg)
        with _translated(f"{method} {path}"):
            answer = await self._send(
                method,
                path,
                query or {},
                body=body,
                content_type=content_type,
                accept=accept,
                seconds=CALL_SECONDS if method == "GET" else WRITE_SECONDS,
            )
            data = await answer.response.read()
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise from_status(answer.status, data, f"{method} {path}")
        found = json.loads(data)
        return found if isinstance(found, dict) else {}

    async def _send(  # noqa: PLR0913  # a request has that many parts
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: Document | None = None,
        content_type: str = "application/json",
        accept: str,
        seconds: float = CALL_SECONDS,
    ) -> RESTResponse:
        method, url, headers, sent, _ = await self._api.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params={"Accept": accept, "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=5)
        return await self._api.call_api(method, url, headers, sent, _request_timeout=timeout)


def _typed(resource: Resource, document: Document) -> Document:
    return {"apiVersion": resource.api_version, "kind": resource.kind, **document}


@contextmanager
def _translated(call: str) -> Iterator[None]:
    """The libraries' errors as ours. `ValueError` is JSON cut off, or a line without end."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        msg = f"{call}: {type(error).__name__}: {error}".rstrip(": ")
        raise ClusterUnreachable(msg) from error
