"""What goes on while parts of Penstock are gone: pains 11 and 20."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e import objects
from tests.e2e.images.provider import LONG
from tests.e2e.kubectl import Document, eventually
from tests.e2e.objects import OURS, TEAM_A, TEAM_B
from tests.e2e.places import Signal
from tests.e2e.stage import FIRST, SECOND, Stage, container_status, names

TAKEOVER_SECONDS = 20
LEASE = "penstock-operator"


def test_pain_20_a_standby_takes_over_from_a_leader_that_hangs(stage: Stage) -> None:
    """And that one ends, instead of leading on, when it comes to itself."""
    kubectl = stage.kubectl
    leader = _holder(stage)
    pod = kubectl.get("pod", leader.partition("_")[0], OURS)
    with _admitting(stage) as admitted:
        _signal(stage, "STOP", pod, "operator")
        stopped = time.time()
        applied = kubectl.apply(objects.policy(TEAM_A, "app", "second"))
        try:
            eventually(lambda: _holder(stage) not in ("", leader))
            taken = time.time()
            served = stage.all_say(SECOND)
        finally:
            _signal(stage, "CONT", pod, "operator")
    eventually(lambda: _restarts(stage, pod, "operator") == _restarts_then(pod, "operator") + 1)
    assert _holder(stage) != leader
    _as_before(stage, applied, admitted)
    stage.figures.within("leader hangs, to another that leads", taken - stopped, TAKEOVER_SECONDS)
    what = "policy changed while the leader hangs, to all sidecars"
    stage.figures.within(what, served - applied, TAKEOVER_SECONDS + 5)


def test_pain_20_a_killed_leader_is_replaced_and_injection_never_stops(stage: Stage) -> None:
    """By its own pod's next container, or by the standby: whichever is first."""
    kubectl = stage.kubectl
    pod = kubectl.get("pod", _holder(stage).partition("_")[0], OURS)
    with _admitting(stage) as admitted:
        _signal(stage, "KILL", pod, "operator")
        applied = kubectl.apply(objects.policy(TEAM_A, "app", "second"))
        served = stage.all_say(SECOND)
    _as_before(stage, applied, admitted)
    what = "policy changed at the leader's death, to all sidecars"
    stage.figures.within(what, served - applied, TAKEOVER_SECONDS + 5)


def test_pain_11_sidecars_serve_and_start_without_the_operator(stage: Stage) -> None:
    """From what is mounted: running ones, one that crashed, and one in a new pod."""
    kubectl = stage.kubectl
    with stage.release.without("operator"):
        begun = time.time()
        (pod, *_) = stage.pods(TEAM_A)
        name = pod["metadata"]["name"]
        _signal(stage, "KILL", pod, "penstock")
        eventually(lambda: _restarts(stage, pod, "penstock") == _restarts_then(pod, "penstock") + 1)
        kubectl.wait("condition=Ready", f"pod/{name}", TEAM_A)
        stage.all_say(FIRST)
        stage.nothing_failed(TEAM_B, begun)
        new = objects.pod(stage.images, TEAM_A, "newborn", "app.py", "watch", "auto", app="app")
        kubectl.apply(new)
        kubectl.wait("condition=Ready", "pod/newborn", TEAM_A)
        stage.all_say(FIRST)
        assert stage.lines(TEAM_A, "newborn")[0]["outcome"] == FIRST
        kubectl.delete("pod", "newborn", TEAM_A)


def test_a_stream_outlives_redis(stage: Stage) -> None:
    """What a request began with, it keeps to its end."""
    kubectl = stage.kubectl
    (pod, *_) = stage.pod_names(TEAM_B)
    stream = kubectl.begin_in(pod, TEAM_B, "python", "app.py", "words", "steady")
    assert stream.line()["stream"] == "begins"
    kubectl.delete("pod", "penstock-redis-0", OURS)
    assert stream.last_line()["stream"] == {"words": LONG["steady"], "finish": "stop"}
    kubectl.rolled_out("statefulset/penstock-redis", OURS)
    stage.all_say(FIRST, TEAM_B)


@contextmanager
def _admitting(stage: Stage) -> Iterator[list[list[str]]]:
    """Lets pods be admitted without a pause; gives the names of their containers."""
    over, admitted = threading.Event(), []
    asked = objects.asked_pod(stage.images, TEAM_A)

    def admit() -> None:
        while not over.is_set():
            got = stage.kubectl.admitted(asked)
            admitted.append(names(got))

    thread = threading.Thread(target=admit)
    thread.start()
    try:
        yield admitted
    finally:
        over.set()
        thread.join()


def _holder(stage: Stage) -> str:
    """Who leads: `<pod>_<process>`."""
    spec = stage.kubectl.get("lease", LEASE, OURS)["spec"]
    return str(spec.get("holderIdentity") or "")


def _as_before(stage: Stage, since: float, admitted: list[list[str]]) -> None:
    """Nothing was missed meanwhile; then the policy is put back."""
    assert len(admitted) > 5
    assert all(found == ["app", "penstock"] for found in admitted), admitted
    stage.kubectl.apply(objects.policy(TEAM_A, "app", "first"))
    stage.all_say(FIRST)
    stage.kubectl.rolled_out("deployment/penstock-operator", OURS)
    stage.nothing_failed(TEAM_A, since)


def _signal(stage: Stage, name: Signal, pod: Document, container: str) -> None:
    identifier = container_status(pod, container)["containerID"].partition("://")[2]
    stage.place.signal(name, identifier, pod["spec"]["nodeName"])


def _restarts(stage: Stage, pod: Document, container: str) -> int:
    found = stage.kubectl.get("pod", pod["metadata"]["name"], pod["metadata"]["namespace"])
    return _restarts_then(found, container)


def _restarts_then(pod: Document, container: str) -> int:
    return int(container_status(pod, container)["restartCount"])
