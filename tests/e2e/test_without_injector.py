"""Nobody gives pods their sidecar, or judges resources, for a while: pains 4, 5 and 10.

In this order: the last test lets the injector come back.
"""

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.e2e import objects
from tests.e2e.kubectl import Document, eventually
from tests.e2e.objects import OURS, TEAM_A, asked_pod
from tests.e2e.stage import FIRST, SECOND, Stage, made_at, names

PLAIN = "e2e-unasking"
TOLD_SECONDS = 30
WEBHOOKS = ("mutatingwebhookconfiguration", "penstock")


@pytest.fixture(scope="module")
def alone(stage: Stage) -> Iterator[Stage]:
    """The stage without an injector, and with a namespace that asks for nothing."""
    stage.kubectl.apply(objects.namespace(PLAIN))
    with stage.release.without("injector"):
        yield stage
    stage.kubectl.delete("namespace", PLAIN, "", "--wait=false")


def test_pain_04_a_pod_that_was_missed_starts_and_is_reported(alone: Stage) -> None:
    """`failurePolicy: Ignore`, which is the default."""
    kubectl = alone.kubectl
    kubectl.apply(objects.deployment(alone.images, TEAM_A, "missed", "app.py", "idle", "auto"))
    kubectl.rolled_out("deployment/missed", TEAM_A)
    (pod,) = alone.pods(TEAM_A, "app=missed")
    assert names(pod) == ["app"]

    def reported() -> bool:
        events = kubectl.list("events", TEAM_A)
        told = [e["message"] for e in events if e["reason"] == "SidecarMissing"]
        return any(pod["metadata"]["name"] in message for message in told)

    eventually(reported, TOLD_SECONDS * 2)
    what = "pod without its sidecar, to the Event that says so"
    alone.figures.within(what, time.time() - made_at(pod), TOLD_SECONDS)
    kubectl.delete("deployment", "missed", TEAM_A)


def test_pain_10_one_wrong_policy_changes_nothing_for_the_others(alone: Stage) -> None:
    """One that only the webhook would have refused."""
    kubectl = alone.kubectl
    zones = objects.budget(TEAM_A, "wrong", timeZone="Nowhere/Land")
    lost = objects.policy(TEAM_A, "wrong", "nowhere", selector={"matchLabels": {"app": "none"}})
    begun = kubectl.apply(zones, lost)
    for kind, type_, text in (
        ("budget", "Accepted", "IANA time zone"),
        ("routepolicy", "ResolvedRefs", "nowhere"),
    ):
        assert text in eventually(partial(_denied, alone, kind, type_))["message"]
    kubectl.apply(objects.policy(TEAM_A, "app", "second"))
    alone.all_say(SECOND)
    kubectl.apply(objects.policy(TEAM_A, "app", "first"))
    alone.all_say(FIRST)
    alone.nothing_failed(TEAM_A, begun)
    for kind in ("budget", "routepolicy"):
        kubectl.delete(kind, "wrong", TEAM_A)


def test_pain_05_failing_closed_never_locks_the_cluster(alone: Stage) -> None:
    """`failurePolicy: Fail`: only pods that ask are refused, and the injector itself comes back."""
    kubectl = alone.kubectl
    asked = asked_pod(alone.images, TEAM_A)
    _fail(alone, "Fail")
    try:
        refusal = kubectl.refused(asked)
        assert "penstock-injector" in refusal, refusal
        for namespace in (PLAIN, "kube-system"):
            assert names(kubectl.admitted(asked_pod(alone.images, namespace))) == ["app"]
        opted_out = asked_pod(alone.images, TEAM_A, inject="false")
        assert names(kubectl.admitted(opted_out)) == ["app"]
        kubectl.run("scale", "deployment/penstock-injector", "--replicas=2", "-n", OURS)
        kubectl.rolled_out("deployment/penstock-injector", OURS)
        assert names(eventually(lambda: kubectl.admitted(asked))) == ["app", "penstock"]
    finally:
        _fail(alone, "Ignore")


def _denied(stage: Stage, kind: str, type_: str) -> Document:
    found = stage.kubectl.get(kind, "wrong", TEAM_A)
    conditions: dict[str, Document] = {
        c["type"]: c for c in found.get("status", {}).get("conditions", ())
    }
    assert conditions.get(type_, {}).get("status") == "False", conditions
    return conditions[type_]


def _fail(stage: Stage, policy: str) -> None:
    """What `injector.failurePolicy` changes, without waiting for Helm."""
    count = len(stage.kubectl.get(*WEBHOOKS)["webhooks"])
    changes: list[dict[str, Any]] = [
        {"op": "replace", "path": f"/webhooks/{index}/failurePolicy", "value": policy}
        for index in range(count)
    ]
    stage.kubectl.run("patch", *WEBHOOKS, "--type=json", f"--patch={json.dumps(changes)}")
