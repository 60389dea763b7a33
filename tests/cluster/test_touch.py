"""The touch: pods whose files have changed are marked, by the leader, once, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock_operator.cluster import Cluster, Conflict, NotFound
from penstock_operator.cluster.client import LEASES, NAMESPACES, PODS, Document
from penstock_operator.cluster.pods import touch
from penstock_operator.delivery.pods import SeenPod
from penstock_operator.handlers.missing import LOOK_SECONDS
from tests.cluster.control_plane import required_binaries
from tests.cluster.objects import (
    POLICIES,
    PROVIDERS,
    becomes,
    config_map,
    delete,
    events_on,
    eventually,
    provider,
    put,
    put_all,
    with_definitions,
)
from tests.cluster.own_plane import AuditLog, Entry, OwnPlane, own_plane
from tests.cluster.pods import DIGEST, create, mark, pod, told, without_ours
from tests.cluster.processes import Process, operator_environment, running

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
FIRST, SECOND = "operator-1", "operator-2"
BEATS = 3
"""Renewals of the Lease, two seconds apart, for which an idle operator is watched."""


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnPlane]:
    """One that writes down every request."""
    with own_plane(
        required_binaries(), tmp_path_factory.mktemp("plane"), users=(FIRST, SECOND)
    ) as found:
        yield found


@pytest.fixture(scope="module")
def server(plane: OwnPlane) -> Path:
    return with_definitions(plane.kubeconfig)


def environment(
    plane: OwnPlane, own: str, home: str, user: str = FIRST, **settings: str
) -> dict[str, str]:
    kubeconfig = plane.kubeconfig_of(user)
    return operator_environment(kubeconfig, own, provider_namespaces=home, **settings)


@pytest.fixture
def operator(plane: OwnPlane, own: str, home: str, tmp_path: Path) -> Iterator[Process]:
    with running(tmp_path / "operator.log", environment(plane, own, home)) as process:
        yield process
        assert process.stop() == 0, process.log
    assert process.events("touch.failed") == []


def touches(entries: list[Entry]) -> list[tuple[str, str]]:
    """(user, pod) of every change of a pod by an operator."""
    return [
        (entry.user, entry.name)
        for entry in entries
        if entry.resource == "pods" and entry.writes and entry.user != "admin"
    ]


async def edit(cluster: Cluster, home: str, number: int) -> None:
    await put(cluster, PROVIDERS, provider(home, baseURL=f"https://llm-{number}.example.com/v1"))


async def test_each_pod_with_a_sidecar_is_marked_once_for_each_change(
    cluster: Cluster, plane: OwnPlane, home: str, operator: Process
) -> None:
    assert operator.popen.poll() is None
    await create(
        cluster,
        pod(home, "plain"),
        pod(home, "native", sidecar="initContainers"),
        pod(home, "missed", sidecar=""),
        pod(home, "not-asked", **{"penstock.dev/inject": "false"}),
    )
    await finish(cluster, pod(home, "done"))
    before = {name: await cluster.get(PODS, name, home) for name in ("plain", "native")}
    await put_all(cluster, home)
    first = await eventually(lambda: told(cluster, home, "plain", "native"))
    audit = plane.audit()
    audit.news()
    await edit(cluster, home, 1)

    async def changed() -> bool:
        assert await told(cluster, home, "plain", "native") != first
        return True

    await eventually(changed)
    calls = audit.news()
    assert sorted(touches(calls)) == [(FIRST, "native"), (FIRST, "plain")]
    written = next(e for e in calls if e.resource == "configmaps" and e.writes)
    assert all(e.came_at > written.came_at for e in calls if e.resource == "pods" and e.writes)
    for name in ("missed", "not-asked", "done"):
        assert await mark(cluster, home, name) is None
    for name, document in before.items():
        now = await cluster.get(PODS, name, home)
        assert without_ours(now) == without_ours(document), "nothing but our annotation"
    await idle(cluster, home, audit)


async def finish(cluster: Cluster, document: Document) -> None:
    """A pod that has ended."""
    (made,) = await create(cluster, document)
    made["status"]["phase"] = "Succeeded"
    name, namespace = made["metadata"]["name"], made["metadata"]["namespace"]
    await cluster._call("PUT", PODS.path(namespace, name, "status"), body=made)


async def idle(cluster: Cluster, home: str, audit: AuditLog) -> None:
    """Once the last change is told, nothing but the Lease is asked for."""
    calls: list[Entry] = []

    async def settled() -> bool:
        status = (await cluster.get(POLICIES, "app", home)).get("status", {})
        published = await config_map(cluster, home)
        assert status.get("configDigest") == published["metadata"]["annotations"][DIGEST]
        return True

    async def quiet() -> bool:
        """From some call on; each part of the operator tells the change in its own time."""
        calls.extend(e for e in audit.news() if e.user == FIRST and e.verb != "watch")
        since = next((n for n, e in enumerate(reversed(calls)) if e.resource != "leases"), None)
        assert (len(calls) if since is None else since) >= BEATS, calls[-BEATS:]
        return True

    await eventually(settled)
    audit.news()
    await eventually(quiet)


async def test_a_pod_that_comes_later_is_marked_too_and_one_that_vanished_is_no_trouble(
    cluster: Cluster, home: str, operator: Process
) -> None:
    await put_all(cluster, home)
    await becomes(cluster, POLICIES, (home, "app"), "Programmed", "Programmed")
    late = pod(home, "late")
    late["metadata"]["annotations"]["penstock.dev/config"] = "of-another-time"
    await create(cluster, late, pod(home, "gone"))
    await delete(cluster, PODS, "gone", home)
    await eventually(lambda: told(cluster, home, "late"))
    assert operator.events("touch.failed") == []


async def test_what_a_killed_leader_wrote_is_told_by_the_next_one(
    cluster: Cluster, plane: OwnPlane, own: str, home: str, tmp_path: Path
) -> None:
    """The first one never gets as far as the touch, and then it is killed."""
    first_environment = environment(plane, own, home, FIRST, nudge="false")
    second_environment = environment(plane, own, home, SECOND)
    audit = plane.audit()
    audit.news()
    await create(cluster, *(pod(home, f"pod-{number}") for number in range(3)))
    with running(tmp_path / "first", first_environment) as first:
        await eventually(lambda: _logged(first, "leader.acquired"))
        with running(tmp_path / "second", second_environment) as second:
            await put_all(cluster, home)
            await becomes(cluster, POLICIES, (home, "app"), "Programmed", "Programmed")
            await eventually(lambda: _logged(second, "cluster.reached"))
            assert touches(audit.news()) == [], "the one may not, the other does not lead"
            first.kill()
            await cluster.delete(LEASES, "penstock-operator", own)  # else its end is waited for
            names = [f"pod-{number}" for number in range(3)]
            await eventually(lambda: told(cluster, home, *names))
            assert sorted(touches(audit.news())) == [(SECOND, name) for name in names]
            assert second.stop() == 0


async def test_neither_another_pod_of_the_name_nor_none_is_touched(
    cluster: Cluster, home: str
) -> None:
    """What the API server makes of the patch."""
    (made,) = await create(cluster, pod(home, "anew"))
    with pytest.raises(Conflict):
        await touch(cluster, SeenPod(home, "anew", {}, uid="of-the-one-before"), "mark")
    with pytest.raises(NotFound):
        await touch(cluster, SeenPod(home, "gone", {}, uid="of-nobody"), "mark")
    assert await mark(cluster, home, "anew") is None
    await touch(cluster, SeenPod(home, "anew", {}, uid=made["metadata"]["uid"]), "mark")
    assert await mark(cluster, home, "anew") == "mark"


async def test_pain_04_pods_of_an_enabled_namespace_that_were_missed_are_told_of(
    cluster: Cluster, home: str, operator: Process
) -> None:
    """By the API server's own label selector, with nothing done to them."""
    missed, excused = pod(home, "missed", sidecar=""), pod(home, "excused", sidecar="")
    del missed["metadata"]["labels"]["penstock.dev/inject"]
    excused["metadata"]["labels"]["penstock.dev/inject"] = "false"
    (made, _) = await create(cluster, missed, excused)
    there = await cluster.get(NAMESPACES, home)
    there["metadata"]["labels"]["penstock.dev/injection"] = "enabled"
    await cluster.replace(NAMESPACES, there)

    async def said() -> list[tuple[str, str]]:
        return await events_on(cluster, home, "missed")

    assert await eventually(said, LOOK_SECONDS + 10) == [("Warning", "SidecarMissing")]
    assert await events_on(cluster, home, "excused") == []
    now = await cluster.get(PODS, "missed", home)
    assert now["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert operator.events("missing.not_looked") == []


async def _logged(process: Process, event: str) -> bool:
    return bool(process.events(event))
