"""The validating webhook, asked by a real API server over TLS."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from penstock_operator.cluster import Cluster, Refused
from penstock_operator.cluster.client import SECRETS, VALIDATING_WEBHOOKS
from penstock_operator.cluster.connection import access
from tests.cluster.objects import (
    BUDGETS,
    POLICIES,
    budget,
    delete,
    eventually,
    policy,
    put,
    with_definitions,
)
from tests.cluster.processes import Process, operator_environment, running
from tests.ports import free_port

pytestmark = pytest.mark.cluster

TAGS: Final = {"tagsFrom": [{"name": "agent", "type": "Header", "header": {"name": "x-agent"}}]}


@pytest.fixture(scope="module")
def server(kubeconfig: Path) -> Path:
    return with_definitions(kubeconfig)


@pytest.fixture
async def webhook(
    cluster: Cluster, kubeconfig: Path, home: str, tmp_path: Path
) -> AsyncIterator[Process]:
    """The webhook, and a configuration that names it by URL, as outside of a cluster."""
    port = free_port()
    environment = operator_environment(
        kubeconfig,
        home,
        webhook_port=str(port),
        webhook_hosts="127.0.0.1",
        webhook_configuration=home,
    )
    entry = {
        "name": "validate.penstock.dev",
        "clientConfig": {"url": f"https://127.0.0.1:{port}/validate"},
        "rules": [
            {
                "apiGroups": ["penstock.dev"],
                "apiVersions": ["*"],
                "operations": ["CREATE", "UPDATE", "DELETE"],
                "resources": ["*"],
            }
        ],
        "namespaceSelector": {"matchLabels": {"test": home}},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 5,
    }
    configuration = {"metadata": {"name": home}, "webhooks": [entry]}
    await put(cluster, VALIDATING_WEBHOOKS, configuration)
    try:
        with running(tmp_path / "webhook", environment, "injector") as process:
            await eventually(lambda: _serves(process))
            await eventually(lambda: _trusted(cluster, home))
            yield process
            assert process.stop() == 0, process.log
    finally:
        await delete(cluster, VALIDATING_WEBHOOKS, home)


async def _trusted(cluster: Cluster, name: str) -> bool:
    found = await cluster.get(VALIDATING_WEBHOOKS, name)
    return bool(found["webhooks"][0]["clientConfig"].get("caBundle"))


async def test_what_no_schema_can_refuse_is_denied_with_what_to_change(
    cluster: Cluster, home: str, webhook: Process
) -> None:
    with pytest.raises(Refused, match=r"spec\.timeZone: is no IANA time zone"):
        await cluster.create(BUDGETS, budget(home, timeZone="Mars/Olympus"))
    assert webhook.popen.poll() is None


async def test_rules_of_cel_are_checked_where_the_server_drops_them(
    cluster: Cluster, home: str, webhook: Process
) -> None:
    spec: dict[str, Any] = {
        "scope": {"providers": [{"name": "a"}], "tiers": [{"name": "b"}]},
        "limits": {},
    }
    with pytest.raises(Refused, match="limits"):
        await cluster.create(BUDGETS, budget(home, **spec))
    assert webhook.popen.poll() is None


@pytest.mark.usefixtures("webhook")
async def test_a_good_object_is_created_changed_and_deleted(cluster: Cluster, home: str) -> None:
    await cluster.create(BUDGETS, budget(home))
    with pytest.raises(Refused, match="timeZone"):
        await put(cluster, BUDGETS, budget(home, timeZone="Mars/Olympus"))
    await put(cluster, BUDGETS, budget(home, timeZone="Europe/Berlin"))
    await cluster.delete(BUDGETS, "money", home)
    assert await cluster.list(BUDGETS, home) == []


@pytest.mark.usefixtures("webhook")
async def test_a_field_without_effect_is_a_warning_also_in_a_dry_run(
    cluster: Cluster, kubeconfig: Path, home: str
) -> None:
    """`kubectl` shows what comes in the header Warning (RFC 7234, code 299)."""
    found = await access(kubeconfig)
    context = ssl.create_default_context(cafile=found.ca_path)
    url = f"{found.server}{POLICIES.path(home)}?dryRun=All"
    headers = {"Authorization": found.authorization or ""}
    document = policy(home, attribution=TAGS)
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json=document, headers=headers, ssl=context) as answer,
    ):
        assert answer.status == 201, await answer.text()
        assert "spec.attribution" in answer.headers["Warning"]
    assert await cluster.list(POLICIES, home) == []


@pytest.mark.usefixtures("webhook")
async def test_two_replicas_share_one_ca(
    cluster: Cluster, kubeconfig: Path, home: str, tmp_path: Path
) -> None:
    before = await cluster.get(SECRETS, "penstock-webhook-ca", home)
    environment = operator_environment(kubeconfig, home, webhook_configuration=home)
    with running(tmp_path / "second", environment, "injector") as second:
        await eventually(lambda: _serves(second))
        assert second.stop() == 0
    after = await cluster.get(SECRETS, "penstock-webhook-ca", home)
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    with pytest.raises(Refused):
        await cluster.create(BUDGETS, budget(home, timeZone="Mars/Olympus"))


async def _serves(process: Process) -> bool:
    return bool(process.events("injector.serving"))
