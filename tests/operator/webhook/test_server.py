"""The webhook's server over TLS, without an API server."""

import asyncio
import io
import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from penstock_operator.metrics import Metrics
from penstock_operator.webhook.certificates import make_ca, make_leaf
from penstock_operator.webhook.review import Document, Verdict, judge
from penstock_operator.webhook.server import (
    MAX_BODY_BYTES,
    load_leaf,
    new_context,
    review_app,
    serve_reviews,
)


def broken(_: Document) -> Verdict:
    raise ZeroDivisionError


class Client:
    """Speaks to the server as the API server does."""

    def __init__(self, session: aiohttp.ClientSession, port: int, metrics: Metrics) -> None:
        self.session = session
        self.base = f"https://127.0.0.1:{port}"
        self.metrics = metrics

    async def review(self, document: dict[str, Any], path: str = "/validate") -> dict[str, Any]:
        body = {"request": {"uid": "u", "operation": "CREATE", "object": document}}
        data = io.BytesIO(json.dumps(body).encode())
        async with self.session.post(self.base + path, data=data) as answer:
            assert answer.status == 200, await answer.text()
            found: dict[str, Any] = (await answer.json())["response"]
            return found


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    now, metrics = datetime.now(UTC), Metrics()
    ca = make_ca(now)
    context = new_context()
    load_leaf(context, make_leaf(ca, ("127.0.0.1",), now))
    app = review_app({"/validate": judge, "/broken": broken}, metrics)
    trust = ssl.create_default_context(cadata=ca.certificate.decode())
    connector = aiohttp.TCPConnector(ssl=trust)
    async with (
        serve_reviews("127.0.0.1", 0, context, app) as port,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        yield Client(session, port, metrics)


def budget(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "Budget",
        "metadata": {"name": "a", "namespace": "b"},
        "spec": {"limits": {"daily": "5"}, **spec},
    }


async def test_a_review_is_answered_over_tls_and_counted(client: Client) -> None:
    assert (await client.review(budget()))["allowed"] is True
    assert (await client.review(budget(timeZone="Mars/Olympus")))["allowed"] is False
    text = client.metrics.exposition().decode()
    assert 'penstock_operator_admissions_total{path="validate",result="allowed"} 1.0' in text
    assert 'penstock_operator_admissions_total{path="validate",result="denied"} 1.0' in text


async def test_pain_06_a_fault_of_ours_is_allowed_with_a_warning_and_counted(
    client: Client,
) -> None:
    """An exception would be a denial, also under `failurePolicy: Ignore`."""
    answer = await client.review(budget(), "/broken")
    assert answer["allowed"] is True
    assert "fault of its own" in answer["warnings"][0]
    text = client.metrics.exposition().decode()
    assert 'penstock_operator_admissions_total{path="broken",result="failed"} 1.0' in text


async def test_a_review_of_several_megabytes_is_read(client: Client) -> None:
    document = budget()
    document["metadata"]["annotations"] = {"big": "x" * 3_000_000}
    assert (await client.review(document))["allowed"] is True


async def test_a_body_beyond_the_bound_is_refused_as_such(client: Client) -> None:
    data = io.BytesIO(b"x" * (MAX_BODY_BYTES + 1))
    async with client.session.post(f"{client.base}/validate", data=data) as answer:
        assert answer.status == 413


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"request": 1}', b'{"request": {}}', b"[" * 99_999]
)
async def test_what_is_no_review_is_a_bad_request(client: Client, body: bytes) -> None:
    async with client.session.post(f"{client.base}/validate", data=body) as answer:
        assert answer.status == 400


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_are_answered(client: Client, path: str) -> None:
    async with client.session.get(client.base + path) as answer:
        assert answer.status == 200


async def test_a_new_leaf_is_served_without_a_restart() -> None:
    now = datetime.now(UTC)
    old, new = make_ca(now), make_ca(now)
    context = new_context()
    load_leaf(context, make_leaf(old, ("127.0.0.1",), now))
    async with serve_reviews("127.0.0.1", 0, context, review_app({}, Metrics())) as port:
        load_leaf(context, make_leaf(new, ("127.0.0.1",), now))
        trust = ssl.create_default_context(cadata=new.certificate.decode())
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session,
            session.get(f"https://127.0.0.1:{port}/healthz") as answer,
        ):
            assert answer.status == 200


async def test_a_client_that_never_ends_its_body_is_let_go() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    runner = web.AppRunner(
        review_app({"/validate": judge}, Metrics(), read_seconds=0.05), shutdown_timeout=0.1
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/validate"
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=endless()) as answer,
        ):
            assert answer.status == 408
    finally:
        await runner.cleanup()


def test_tls_before_1_2_is_refused() -> None:
    assert new_context().minimum_version == ssl.TLSVersion.TLSv1_2
