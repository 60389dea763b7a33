"""An injector in the test's own loop, and the configuration that sends pods to it."""

import base64
import io
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp

from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import MUTATING_WEBHOOKS, PODS
from penstock_operator.cluster.connection import access
from penstock_operator.injection.template import Template
from penstock_operator.metrics import Metrics
from penstock_operator.settings import Settings
from penstock_operator.webhook.certificates import make_ca, make_leaf
from penstock_operator.webhook.mutation import Mutation
from penstock_operator.webhook.review import Document, Judge, Verdict
from penstock_operator.webhook.server import load_leaf, new_context, review_app, serve_reviews
from tests.cluster.objects import delete, put

OWN: Final = "penstock-system"
PROTECTED: Final = ["kube-system", "kube-public", "kube-node-lease", OWN]
Answer = tuple[int, dict[str, Any], str]
"""Status, the pod as the server has it (or its refusal), and the warnings."""
ENABLED: Final = {"penstock.dev/injection": "enabled"}
ASKED: Final = {"penstock.dev/inject": "true"}
BY_NAME: Final = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": PROTECTED}


def selectors() -> list[dict[str, Any]]:
    """Pods of labelled namespaces that did not opt out, and labelled pods anywhere else."""
    opted_out = {"key": "penstock.dev/inject", "operator": "NotIn", "values": ["false"]}
    elsewhere = {"key": "penstock.dev/injection", "operator": "NotIn", "values": ["enabled"]}
    return [
        {
            "name": "namespaces.inject.penstock.dev",
            "namespaceSelector": {"matchLabels": ENABLED, "matchExpressions": [BY_NAME]},
            "objectSelector": {"matchExpressions": [opted_out]},
        },
        {
            "name": "pods.inject.penstock.dev",
            "namespaceSelector": {"matchExpressions": [elsewhere, BY_NAME]},
            "objectSelector": {"matchLabels": ASKED},
        },
    ]


def configuration(name: str, url: str, ca: bytes, policy: str = "Ignore") -> dict[str, Any]:
    """As the chart's, but by URL. No CA: somebody else writes it."""
    client = {"url": url} | ({"caBundle": base64.b64encode(ca).decode()} if ca else {})
    common = {
        "clientConfig": client,
        "rules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["pods"],
                "scope": "Namespaced",
            }
        ],
        "failurePolicy": policy,
        "reinvocationPolicy": "IfNeeded",
        "sideEffects": "NoneOnDryRun",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 5,
    }
    return {"metadata": {"name": name}, "webhooks": [{**each, **common} for each in selectors()]}


class Asked:
    """A judge, and what it was asked."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.requests: list[Document] = []

    def __call__(self, request: Document) -> Verdict:
        self.requests.append(request)
        return self._judge(request)


def mutation() -> Judge:
    """The injector's own, for a cluster without native sidecars."""
    template = Template.of(Settings(namespace=OWN), "1.2.3")
    return Mutation(template, lambda: "container", Metrics())


@asynccontextmanager
async def serving(judges: Mapping[str, Judge]) -> AsyncIterator[tuple[str, bytes]]:
    """Its address and CA, until the block ends."""
    now = datetime.now(UTC)
    ca, context = make_ca(now), new_context()
    load_leaf(context, make_leaf(ca, ("127.0.0.1",), now))
    app = review_app(judges, Metrics())
    async with serve_reviews("127.0.0.1", 0, context, app) as port:
        yield f"https://127.0.0.1:{port}", ca.certificate


@asynccontextmanager
async def configured(cluster: Cluster, document: dict[str, Any]) -> AsyncIterator[None]:
    """The configuration in effect, until the block ends."""
    await put(cluster, MUTATING_WEBHOOKS, document)
    try:
        yield
    finally:
        await delete(cluster, MUTATING_WEBHOOKS, document["metadata"]["name"])


class Kubectl:
    """Makes pods, and sees the warnings that `kubectl` shows (RFC 7234, code 299)."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        self._session = session
        self._server = server

    async def create(
        self, document: dict[str, Any], namespace: str, *, dry_run: bool = False
    ) -> Answer:
        url = f"{self._server}{PODS.path(namespace)}{'?dryRun=All' if dry_run else ''}"
        data = io.BytesIO(json.dumps(document).encode())
        headers = {"Content-Type": "application/json"}
        async with self._session.post(url, data=data, headers=headers) as answer:
            warnings = " ".join(answer.headers.getall("Warning", []))
            return answer.status, await answer.json(), warnings


@asynccontextmanager
async def kubectl(kubeconfig: Path) -> AsyncIterator[Kubectl]:
    found = await access(kubeconfig)
    tls = ssl.create_default_context(cafile=found.ca_path)
    headers = {"Authorization": found.authorization or ""}
    connector = aiohttp.TCPConnector(ssl=tls)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        yield Kubectl(session, found.server)
