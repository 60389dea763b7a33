"""The judge of pods: from a review to a patch, a warning, an announcement."""

import base64
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from penstock_operator.delivery.owner import Owner
from penstock_operator.injection.injector import Outcome
from penstock_operator.metrics import Metrics
from penstock_operator.webhook.mutation import Mutation
from penstock_operator.webhook.review import Verdict
from penstock_operator.webhook.server import review_app
from tests.operator.injection.pods import TEMPLATE, patched, pod, sidecar_of

KIND = {"group": "", "version": "v1", "kind": "Pod"}
OWNER = {
    "apiVersion": "apps/v1",
    "kind": "ReplicaSet",
    "name": "shop-abc",
    "uid": "u-1",
    "controller": True,
}


def broken(*_: object) -> Outcome:
    raise ZeroDivisionError


def judged(document: Any, metrics: Metrics | None = None, **request: Any) -> Verdict:
    judge = Mutation(TEMPLATE, lambda: "native", metrics or Metrics())
    asked = {"kind": KIND, "operation": "CREATE", "namespace": "team", "object": document}
    return judge({**asked, **request})


def test_a_pod_gets_its_sidecar() -> None:
    document = pod()
    verdict = judged(document)
    assert verdict.result == "allowed"
    assert sidecar_of(patched(document, verdict.patch))["name"] == "penstock"


def test_a_refusal_is_a_warning_and_never_a_denial() -> None:
    verdict = judged(pod(hostNetwork=True))
    assert (verdict.result, verdict.patch) == ("warned", ())
    assert verdict.answer("u")["response"]["allowed"] is True


@pytest.mark.parametrize(
    "request_",
    [
        {"operation": "UPDATE"},
        {"operation": "DELETE", "object": None},
        {"subResource": "binding"},
        {"kind": {"group": "apps", "version": "v1", "kind": "Deployment"}},
        {"kind": None},
        {"operation": "CONNECT", "object": None},
    ],
)
def test_nothing_but_a_pod_s_creation_is_touched(request_: dict[str, Any]) -> None:
    verdict = judged(pod(), **request_)
    assert (verdict.result, verdict.patch, verdict.warnings) == ("allowed", (), ())


def test_pods_of_the_system_s_namespaces_are_untouched_whatever_the_selectors() -> None:
    for namespace in ("kube-system", "penstock-system"):
        assert judged(pod(), namespace=namespace).patch == ()


def test_pain_04_a_pod_s_owner_is_told_what_became_of_it() -> None:
    """Nobody reads the warnings that a controller gets."""
    told = judged(pod(meta={"ownerReferences": [OWNER]})).announcement
    assert told is not None
    assert told.owner == Owner("apps/v1", "ReplicaSet", "team", "shop-abc", "u-1")
    assert (told.type, told.reason) == ("Normal", "Injected")
    told = judged(pod(meta={"ownerReferences": [OWNER]}, hostNetwork=True)).announcement
    assert told is not None
    assert (told.type, told.reason) == ("Warning", "InjectionSkipped")
    assert "take hostNetwork away" in told.message


def test_a_wrong_annotation_reaches_the_owner_too() -> None:
    meta = {"ownerReferences": [OWNER], "annotations": {"penstock.dev/port": "80"}}
    told = judged(pod(meta=meta)).announcement
    assert told is not None
    assert "penstock.dev/port='80'" in told.message


def test_nobody_is_told_of_what_was_not_asked_for() -> None:
    opted_out = {"labels": {"penstock.dev/inject": "false"}, "ownerReferences": [OWNER]}
    assert judged(pod(meta=opted_out)).announcement is None
    assert judged(pod()).announcement is None


def test_injections_are_counted_by_result_and_reason() -> None:
    metrics = Metrics()
    judged(pod(), metrics)
    judged(pod(hostPID=True), metrics)
    judged(pod(), metrics, namespace="kube-system")
    name = "penstock_operator_injections_total"
    counted = {
        (sample.labels["result"], sample.labels["reason"]): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == name
    }
    assert counted == {
        ("injected", "Injected"): 1,
        ("refused", "SharesProcesses"): 1,
        ("skipped", "ProtectedNamespace"): 1,
    }


@pytest.fixture
async def post() -> AsyncIterator[Any]:
    """Sends a review to the server's routes."""
    metrics = Metrics()
    judges = {
        "/mutate": Mutation(TEMPLATE, lambda: "native", metrics),
        "/broken": Mutation(TEMPLATE, lambda: "native", metrics, broken),
    }
    runner = web.AppRunner(review_app(judges, metrics), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:

        async def send(path: str, document: Any) -> dict[str, Any]:
            asked = {"operation": "CREATE", "namespace": "team", "object": document}
            review = {"request": {"uid": "u", "kind": KIND, **asked}}
            data = io.BytesIO(json.dumps(review).encode())
            async with session.post(base + path, data=data) as answer:
                assert answer.status == 200
                found: dict[str, Any] = (await answer.json())["response"]
                return found | {"metrics": metrics.exposition().decode()}

        yield send
    await runner.cleanup()


async def test_pain_06_a_fault_of_ours_admits_the_pod_with_a_warning(post: Any) -> None:
    response = await post("/broken", pod())
    assert response["allowed"] is True
    assert "fault of its own" in response["warnings"][0]
    assert 'injections_total{reason="Fault",result="failed"} 1.0' in response["metrics"]
    assert "patch" not in response


async def test_a_pod_that_is_no_pod_is_admitted_with_a_warning(post: Any) -> None:
    response = await post("/mutate", {"spec": {"containers": ["not a container"]}})
    assert response["allowed"] is True
    assert response["warnings"]


async def test_pain_21_a_pod_of_several_megabytes_gets_a_small_patch(post: Any) -> None:
    document = pod(meta={"annotations": {"big": "x" * 2_900_000}})
    response = await post("/mutate", document)
    patch = base64.b64decode(response["patch"])
    assert len(patch) < 10_000
    assert response["patchType"] == "JSONPatch"
    assert sidecar_of(patched(document, json.loads(patch)))["name"] == "penstock"
