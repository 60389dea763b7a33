"""Pods get their sidecar from a real API server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock_operator.cluster import Cluster, connect
from penstock_operator.cluster.client import NAMESPACES, PODS, Resource
from penstock_operator.cluster.nodes import knows_native_sidecars
from penstock_operator.webhook.review import Document, Judge, Verdict
from tests.cluster.control_plane import required_binaries
from tests.cluster.injection import (
    ASKED,
    ENABLED,
    OWN,
    Answer,
    Asked,
    Kubectl,
    configuration,
    configured,
    kubectl,
    mutation,
    serving,
)
from tests.cluster.objects import eventually, put, unused_name
from tests.cluster.own_plane import OwnPlane, own_plane
from tests.cluster.processes import operator_environment, running
from tests.operator.injection.pods import app, env_of, pod, sidecar_of
from tests.ports import free_port

pytestmark = pytest.mark.cluster
PODS_AT_ONCE = 100
LIMIT_RANGES = Resource("", "v1", "LimitRange", "limitranges")
MOST = {"cpu": "8", "memory": "8Gi"}
QUOTAS = Resource("", "v1", "ResourceQuota", "resourcequotas")


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnPlane]:
    """One whose every namespace is ours."""
    with own_plane(required_binaries(), tmp_path_factory.mktemp("plane")) as found:
        yield found


@pytest.fixture
async def cluster(plane: OwnPlane) -> AsyncIterator[Cluster]:
    async with connect(plane.kubeconfig) as found:
        yield found


@pytest.fixture
async def user(plane: OwnPlane) -> AsyncIterator[Kubectl]:
    async with kubectl(plane.kubeconfig) as found:
        yield found


@pytest.fixture
async def home(cluster: Cluster) -> str:
    """A labelled namespace."""
    return await namespace(cluster, unused_name(), **ENABLED)


@pytest.fixture
async def elsewhere(cluster: Cluster) -> str:
    """One without a label."""
    return await namespace(cluster, unused_name())


@pytest.fixture
async def injector(cluster: Cluster) -> AsyncIterator[Asked]:
    asked = Asked(mutation())
    async with in_effect(cluster, asked):
        yield asked


@asynccontextmanager
async def in_effect(cluster: Cluster, judge: Judge, policy: str = "Ignore") -> AsyncIterator[None]:
    """Returns once the API server sends pods there: it looks at configurations now and then."""
    seen = Asked(judge)
    async with AsyncExitStack() as exits:
        url, ca = await exits.enter_async_context(serving({"/mutate": seen}))
        document = configuration(unused_name(), f"{url}/mutate", ca, policy)
        await exits.enter_async_context(configured(cluster, document))
        await eventually(lambda: reaches(cluster, seen))
        yield


async def reaches(cluster: Cluster, asked: Asked) -> bool:
    before = len(asked.requests)
    await cluster.create(PODS, pod(meta={"namespace": "default", "labels": ASKED}))
    return len(asked.requests) > before


async def namespace(cluster: Cluster, name: str, **labels: str) -> str:
    await put(cluster, NAMESPACES, {"metadata": {"name": name, "labels": labels}})
    return name


def names_of(document: dict[str, Any]) -> list[str]:
    return [each["name"] for each in document["spec"]["containers"]]


@pytest.mark.usefixtures("injector")
async def test_every_pod_of_a_labelled_namespace_gets_one(user: Kubectl, home: str) -> None:
    made = await asyncio.gather(*(user.create(pod(), home) for _ in range(PODS_AT_ONCE)))
    assert {status for status, _, _ in made} == {201}
    assert all(names_of(document) == ["penstock", "app"] for _, document, _ in made)
    assert {warnings for _, _, warnings in made} == {""}


@pytest.mark.usefixtures("injector")
async def test_what_the_server_stores_is_the_sidecar_that_was_meant(
    user: Kubectl, home: str
) -> None:
    _, stored, _ = await user.create(pod(), home)
    sidecar = sidecar_of(stored)
    assert sidecar["securityContext"]["runAsUser"] == 41414
    assert sidecar["lifecycle"]["preStop"]["exec"]["command"][:2] == ["penstock-sidecar", "drain"]
    assert env_of(stored["spec"]["containers"][1])["OPENAI_BASE_URL"] == "http://localhost:4141/v1"
    assert stored["metadata"]["labels"]["penstock.dev/inject"] == "true"


async def test_a_labelled_pod_gets_one_anywhere_and_others_are_not_even_asked_about(
    user: Kubectl, elsewhere: str, injector: Asked
) -> None:
    _, labelled, _ = await user.create(pod(meta={"labels": ASKED}), elsewhere)
    assert names_of(labelled) == ["penstock", "app"]
    injector.requests.clear()
    _, other, _ = await user.create(pod(), elsewhere)
    assert names_of(other) == ["app"]
    assert injector.requests == []


async def test_a_pod_that_opted_out_is_not_even_asked_about(
    user: Kubectl, home: str, injector: Asked
) -> None:
    injector.requests.clear()
    _, made, _ = await user.create(pod(meta={"labels": {"penstock.dev/inject": "false"}}), home)
    assert names_of(made) == ["app"]
    assert injector.requests == []


@pytest.mark.usefixtures("injector")
@pytest.mark.parametrize("protected", ["kube-system", OWN])
async def test_pain_05_the_system_s_pods_and_ours_are_untouched_whatever_their_labels(
    cluster: Cluster, user: Kubectl, protected: str
) -> None:
    """Also where a server does not label namespaces with their names (before 1.21)."""
    await namespace(cluster, protected, **ENABLED)
    _, made, _ = await user.create(pod(meta={"labels": ASKED}), protected)
    assert names_of(made) == ["app"]


@pytest.mark.usefixtures("injector")
async def test_a_refusal_is_a_warning_that_the_user_sees(user: Kubectl, home: str) -> None:
    status, made, warnings = await user.create(pod(shareProcessNamespace=True), home)
    assert (status, names_of(made)) == (201, ["app"])
    assert "No sidecar was added: with shareProcessNamespace" in warnings


@pytest.mark.usefixtures("injector")
async def test_pain_22_a_port_clash_is_a_warning_that_says_what_to_set(
    user: Kubectl, home: str
) -> None:
    status, _, warnings = await user.create(pod(app(ports=[{"containerPort": 4141}])), home)
    assert status == 201
    assert "penstock.dev/port" in warnings


@pytest.mark.usefixtures("injector")
async def test_a_dry_run_shows_the_sidecar_and_leaves_nothing(
    cluster: Cluster, user: Kubectl, home: str
) -> None:
    status, shown, _ = await user.create(pod(), home, dry_run=True)
    assert (status, names_of(shown)) == (201, ["penstock", "app"])
    assert await cluster.list(PODS, home) == []


async def test_pain_06_a_fault_of_ours_admits_the_pod_with_a_warning(
    cluster: Cluster, user: Kubectl, home: str
) -> None:
    def broken(_: Document) -> Verdict:
        raise ZeroDivisionError

    async with in_effect(cluster, broken, "Fail"):
        status, made, warnings = await user.create(pod(), home)
    assert (status, names_of(made)) == (201, ["app"])
    assert "a fault of its own" in warnings


async def test_pain_04_where_the_injector_is_gone_pods_start_without(
    cluster: Cluster, user: Kubectl, home: str
) -> None:
    asked = Asked(mutation())
    async with AsyncExitStack() as lasting:
        async with serving({"/mutate": asked}) as (url, ca):
            document = configuration(unused_name(), f"{url}/mutate", ca, "Ignore")
            await lasting.enter_async_context(configured(cluster, document))
            await eventually(lambda: reaches(cluster, asked))
        status, made, _ = await user.create(pod(), home)
    assert (status, names_of(made)) == (201, ["app"])


async def test_pain_05_where_injection_must_not_fail_only_pods_that_want_one_wait(
    cluster: Cluster, user: Kubectl, home: str, elsewhere: str
) -> None:
    await namespace(cluster, "kube-system")
    async with nobody_there(cluster, "Fail"):
        status, refusal, _ = await eventually(lambda: refused(user, home))
        assert status == 500
        assert "inject.penstock.dev" in refusal["message"]
        for name in (elsewhere, "kube-system"):
            assert (await user.create(pod(), name))[0] == 201


@asynccontextmanager
async def nobody_there(cluster: Cluster, policy: str) -> AsyncIterator[None]:
    url = f"https://127.0.0.1:{free_port()}/mutate"
    async with configured(cluster, configuration(unused_name(), url, b"", policy)):
        yield


async def refused(user: Kubectl, name: str) -> Answer:
    """Or `AssertionError`: not yet."""
    answer = await user.create(pod(), name)
    assert answer[0] != 201
    return answer


@pytest.mark.usefixtures("injector")
async def test_a_container_that_another_webhook_adds_later_is_told_of_the_sidecar(
    cluster: Cluster, user: Kubectl, home: str
) -> None:
    """Reinvocation: its configuration comes after ours by name."""

    def adds(request: Document) -> Verdict:
        if "late" in names_of(request["object"]):
            return Verdict("allowed")
        operation = {"op": "add", "path": "/spec/containers/-", "value": app("late")}
        return Verdict("allowed", patch=(operation,))

    async with serving({"/add": adds}) as (url, ca):
        document = configuration(f"z{unused_name()}", f"{url}/add", ca, "Fail")
        async with configured(cluster, document):
            _, made, _ = await eventually(lambda: created_with(user, home, "late"))
    assert names_of(made) == ["penstock", "app", "late"]
    apps = made["spec"]["containers"][1:]
    assert {env_of(each)["OPENAI_BASE_URL"] for each in apps} == {"http://localhost:4141/v1"}


async def created_with(user: Kubectl, home: str, name: str) -> Answer:
    """Or `AssertionError`: not yet."""
    answer = await user.create(pod(), home)
    assert name in names_of(answer[1])
    return answer


@pytest.mark.usefixtures("injector")
async def test_pain_15_a_namespace_with_limits_and_a_quota_takes_the_sidecar(
    cluster: Cluster, user: Kubectl, home: str
) -> None:
    await cluster.create(LIMIT_RANGES, limit_range(home))
    await quota(cluster, home)
    own = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "1", "memory": "64Mi"}}
    status, made, _ = await user.create(pod(app(resources=own)), home)
    assert status == 201, made
    assert sidecar_of(made)["resources"] == {
        "requests": {"cpu": "50m", "memory": "96Mi"},
        "limits": {"cpu": "500m", "memory": "256Mi"},
    }


@pytest.mark.usefixtures("injector")
async def test_pain_15_where_a_quota_wants_a_limit_an_annotation_gives_it(
    cluster: Cluster, user: Kubectl, home: str
) -> None:
    await quota(cluster, home)
    own = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "1", "memory": "64Mi"}}
    status, refusal, _ = await user.create(pod(app(resources=own)), home)
    assert (status, "limits.cpu" in refusal["message"]) == (403, True)
    limit = {"annotations": {"penstock.dev/cpu-limit": "500m"}}
    status, made, _ = await user.create(pod(app(resources=own), meta=limit), home)
    assert status == 201, made


def limit_range(home: str) -> dict[str, Any]:
    limits = {
        "type": "Container",
        "min": {"cpu": "10m", "memory": "16Mi"},
        "max": {"cpu": "2", "memory": "1Gi"},
        "default": {"cpu": "500m", "memory": "128Mi"},
    }
    return {"metadata": {"name": "bounds", "namespace": home}, "spec": {"limits": [limits]}}


async def quota(cluster: Cluster, home: str) -> None:
    """Counted by hand: here runs no controller."""
    fields = ("requests", "limits")
    hard = {f"{field}.{kind}": most for field in fields for kind, most in MOST.items()}
    document = {"metadata": {"name": "most", "namespace": home}, "spec": {"hard": hard}}
    await cluster.create(QUOTAS, document)
    status = {"hard": hard, "used": dict.fromkeys(hard, "0")}
    await cluster.apply(QUOTAS, {**document, "status": status}, subresource="status")


async def test_pain_21_a_pod_as_big_as_a_server_takes_is_injected(
    user: Kubectl, home: str, injector: Asked
) -> None:
    """Not stored: etcd takes half of that."""
    env = [{"name": f"V{number}", "value": "x" * 29_000} for number in range(100)]
    status, made, warnings = await user.create(pod(app(env=env)), home, dry_run=True)
    assert (status, warnings, names_of(made)) == (201, "", ["penstock", "app"])
    assert len(injector.requests[-1]["object"]["spec"]["containers"][0]["env"]) >= 100


async def test_the_injector_s_process_injects_as_this_cluster_takes_it(
    plane: OwnPlane, cluster: Cluster, user: Kubectl, home: str, tmp_path: Path
) -> None:
    """An old server: a container, found out by itself."""
    assert await knows_native_sidecars(cluster) is False
    own, port = await namespace(cluster, unused_name()), free_port()
    document = configuration(own, f"https://127.0.0.1:{port}/mutate", b"")
    environment = operator_environment(
        plane.kubeconfig,
        own,
        webhook_port=str(port),
        webhook_hosts="127.0.0.1",
        webhook_configuration=own,
        sidecar_image="registry.local/sidecar:e2e",
        sidecar_pull_policy="Never",
    )
    async with configured(cluster, document):
        with running(tmp_path / "injector", environment, "injector") as process:
            _, made, _ = await eventually(lambda: created_with(user, home, "penstock"))
            assert process.events("injector.mode")[0]["mode"] == "container"
            assert process.stop() == 0, process.log
    sidecar = sidecar_of(made)
    assert (sidecar["image"], sidecar["imagePullPolicy"]) == ("registry.local/sidecar:e2e", "Never")
