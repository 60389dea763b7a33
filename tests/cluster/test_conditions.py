"""Conditions and Events on custom resources, by a running operator on a real API server."""

import json
from typing import Final

import pytest

from penstock_config.codec import decode_config
from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import EVENTS, SECRETS, Resource
from tests.cluster.control_plane import ControlPlane
from tests.cluster.objects import (
    BUDGETS,
    POLICIES,
    PROVIDERS,
    TIERS,
    becomes,
    budget,
    condition,
    conditions_of,
    config_map,
    events_on,
    eventually,
    policy,
    provider,
    put,
    put_all,
    secret,
)

QUOTAS: Final = Resource("", "v1", "ResourceQuota", "resourcequotas")
TAGS: Final = {"tagsFrom": [{"name": "agent", "type": "Header", "header": {"name": "x-agent"}}]}
NO_CONFIG_MAPS: Final = {"count/configmaps": "0"}


@pytest.fixture
def home(watched: str) -> str:
    return watched


async def test_every_kind_gets_its_conditions(cluster: Cluster, home: str) -> None:
    await put_all(cluster, home)
    await put(cluster, BUDGETS, budget(home))
    for resource, name in (
        (PROVIDERS, "llm"),
        (TIERS, "fast"),
        (POLICIES, "app"),
        (BUDGETS, "money"),
    ):
        await becomes(cluster, resource, (home, name), "Programmed", "Programmed")
        found = await conditions_of(cluster, resource, home, name)
        for later in ("Ready", "Healthy"):  # of sidecars, and of providers: said a moment later
            found.pop(later, None)
        assert {type_: status for type_, (status, _) in found.items()} == {
            "Accepted": "True",
            "ResolvedRefs": "True",
            "Programmed": "True",
            "Enforced": "True",
        }


async def test_a_field_without_effect_is_said_so_and_the_object_works(
    cluster: Cluster, home: str
) -> None:
    await put_all(cluster, home)
    await put(cluster, POLICIES, policy(home, attribution=TAGS))
    found = await becomes(cluster, POLICIES, (home, "app"), "Enforced", "NotYetEnforced")
    assert condition(found, "Accepted")["status"] == "True"
    assert "spec.attribution" in condition(found, "Enforced")["message"]


async def test_a_broken_reference_is_a_condition_and_mending_it_clears_it(
    cluster: Cluster, home: str
) -> None:
    await put_all(cluster, home)
    await becomes(cluster, POLICIES, (home, "app"), "Programmed", "Programmed")
    await put(cluster, POLICIES, policy(home, defaultTier={"name": "gone"}))
    broken = await becomes(cluster, POLICIES, (home, "app"), "ResolvedRefs", "RefNotFound")
    assert f"{home}/gone" in condition(broken, "ResolvedRefs")["message"]

    async def denied() -> bool:
        config = decode_config((await config_map(cluster, home))["data"]["config.v2.json"].encode())
        default = config.policies[0].default
        return default is not None and default.denied is not None

    assert await eventually(denied), "the rest ships, the broken part is denied"
    await put(cluster, POLICIES, policy(home))
    await becomes(cluster, POLICIES, (home, "app"), "ResolvedRefs", "ResolvedRefs")
    assert await eventually(lambda: _both_events(cluster, home))
    assert await events_on(cluster, home, "app") == [
        ("Normal", "ResolvedRefs"),
        ("Warning", "RefNotFound"),
    ]


async def _both_events(cluster: Cluster, home: str) -> bool:
    return len(await events_on(cluster, home, "app")) == 2


async def test_a_missing_secret_a_missing_key_and_their_repair_are_told(
    cluster: Cluster, home: str
) -> None:
    await put(cluster, PROVIDERS, provider(home))
    await becomes(cluster, PROVIDERS, (home, "llm"), "ResolvedRefs", "SecretNotFound")
    await put(cluster, SECRETS, secret(home, other="sk-hidden"))
    found = await becomes(cluster, PROVIDERS, (home, "llm"), "ResolvedRefs", "SecretKeyMissing")
    assert "api-key" in condition(found, "ResolvedRefs")["message"]
    assert "sk-hidden" not in json.dumps(found)
    await put(cluster, SECRETS, secret(home, **{"api-key": "sk-first"}))
    await becomes(cluster, PROVIDERS, (home, "llm"), "ResolvedRefs", "ResolvedRefs")


async def test_objects_get_a_status_and_nothing_else(cluster: Cluster, home: str) -> None:
    """No finalizer and no annotation: of kopf nothing is seen, and deletion never waits for us."""
    await put_all(cluster, home)
    found = await becomes(cluster, POLICIES, (home, "app"), "Programmed", "Programmed")
    assert found["metadata"].keys().isdisjoint({"finalizers", "annotations", "labels"})
    assert found["spec"] == policy(home)["spec"]
    managers = {entry["manager"] for entry in found["metadata"]["managedFields"]}
    assert "penstock-operator" in managers


async def test_an_event_comes_once_however_often_is_reconciled(cluster: Cluster, home: str) -> None:
    await put(cluster, POLICIES, policy(home))
    await becomes(cluster, POLICIES, (home, "app"), "ResolvedRefs", "RefNotFound")
    for name in ("one", "two"):
        await put(cluster, BUDGETS, budget(home, name))
        await becomes(cluster, BUDGETS, (home, name), "Accepted", "Accepted")
    assert await events_on(cluster, home, "app") == [("Warning", "RefNotFound")]


async def test_an_object_that_slipped_through_validation_does_not_stop_the_rest(
    cluster: Cluster, home: str
) -> None:
    await put_all(cluster, home)
    before = await eventually(lambda: config_map(cluster, home))
    bad = budget(home, timeZone="Mars/Olympus")
    await put(cluster, BUDGETS, bad)
    found = await becomes(cluster, BUDGETS, (home, "money"), "Accepted", "InvalidSpec")
    assert "spec.timeZone" in condition(found, "Accepted")["message"]
    await put(cluster, POLICIES, policy(home, "second"))

    async def shipped() -> bool:
        config = decode_config((await config_map(cluster, home))["data"]["config.v2.json"].encode())
        return f"{home}/second" in {each.id for each in config.policies}

    assert await eventually(shipped)
    assert before["metadata"]["uid"] == (await config_map(cluster, home))["metadata"]["uid"]


async def test_a_configuration_that_cannot_be_written_is_told_and_tried_again(
    cluster: Cluster, home: str, plane: ControlPlane
) -> None:
    if not plane.controllers:
        pytest.skip("no controller manager: nobody counts for a quota")
    quota = {"metadata": {"name": "none", "namespace": home}, "spec": {"hard": NO_CONFIG_MAPS}}
    await put(cluster, QUOTAS, quota)

    async def counted() -> bool:
        found = await cluster.get(QUOTAS, "none", home)
        return bool(found["status"].get("used"))

    await eventually(counted)
    await put_all(cluster, home)
    await becomes(cluster, POLICIES, (home, "app"), "Programmed", "WriteFailed")
    notes = [
        event
        for event in await eventually(lambda: cluster.list(EVENTS, home))
        if event["reason"] == "WriteFailed"
    ]
    assert notes
    assert all("exceeded quota" in event["message"] for event in notes)
    await cluster.delete(QUOTAS, "none", home)
    await becomes(cluster, POLICIES, (home, "app"), "Programmed", "Programmed")
