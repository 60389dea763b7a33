"""What goes on while parts of Penstock are gone: pains 10, 11 and 20."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e import objects
from tests.e2e.images.provider import LONG
from tests.e2e.kubectl import Document, eventually
from tests.e2e.objects import OURS, TEAM_A, TEAM_B
from tests.e2e.stage import FIRST, SECOND, Stage, container_status

TAKEOVER_SECONDS = 20
LEASE = "penstock-operator"


def test_pain_20_a_standby_takes_over_and_injection_never_stops(stage: Stage) -> None:
    """The leader is killed, not asked to go."""
    kubectl = stage.kubectl
    leader = _holder(stage)
    pod = kubectl.get("pod", leader.partition("_")[0], OURS)
    with _admitting(stage) as admitted:
        killed = time.time()
        _kill(stage, pod, "operator")
        applied = kubectl.apply(objects.policy(TEAM_A, "app", "second"))
        eventually(lambda: _holder(stage) not in ("", leader))
        taken = time.time()
        served = stage.all_say(SECOND)
    kubectl.apply(objects.policy(TEAM_A, "app", "first"))
    stage.all_say(FIRST)
    kubectl.rolled_out("deployment/penstock-operator", OURS)
    stage.nothing_failed(TEAM_A, applied)
    assert len(admitted) > 10
    assert all(names == ["app", "penstock"] for names in admitted), admitted
    stage.figures.within("leader killed, to another", taken - killed, TAKEOVER_SECONDS)
    what = "policy changed at the leader's death, to all sidecars"
    stage.figures.within(what, served - applied, TAKEOVER_SECONDS + 5)


def test_pain_11_sidecars_serve_and_start_without_the_operator(stage: Stage) -> None:
    """From what is mounted: running ones, one that crashed, and one in a new pod."""
    kubectl = stage.kubectl
    with stage.release.without("operator"):
        begun = time.time()
        (pod, *_) = stage.pods(TEAM_A)
        name = pod["metadata"]["name"]
        _kill(stage, pod, "penstock")
        eventually(lambda: _restarts(stage, name) == 1)
        kubectl.wait("condition=Ready", f"pod/{name}", TEAM_A)
        stage.all_say(FIRST)
        stage.nothing_failed(TEAM_B, begun)
        new = objects.pod(stage.images, TEAM_A, "newborn", "app.py", "watch", "auto", app="app")
        kubectl.apply(new)
        kubectl.wait("condition=Ready", "pod/newborn", TEAM_A)
        stage.all_say(FIRST)
        assert stage.lines(TEAM_A, "newborn")[0]["outcome"] == FIRST
        kubectl.delete("pod", "newborn", TEAM_A)


def test_pain_10_one_wrong_policy_changes_nothing_for_the_others(stage: Stage) -> None:
    """Even one that the webhook never saw."""
    kubectl = stage.kubectl
    wrong = objects.policy(TEAM_A, "wrong", "nowhere", selector={"matchLabels": {"app": "none"}})
    with stage.release.without("injector"):
        begun = kubectl.apply(wrong)

    def told() -> Document:
        found = kubectl.get("routepolicy", "wrong", TEAM_A)
        conditions: dict[str, Document] = {
            c["type"]: c for c in found.get("status", {}).get("conditions", ())
        }
        assert conditions["ResolvedRefs"]["status"] == "False", conditions
        return conditions["ResolvedRefs"]

    assert "nowhere" in eventually(told)["message"]
    kubectl.apply(objects.policy(TEAM_A, "app", "second"))
    stage.all_say(SECOND)
    kubectl.apply(objects.policy(TEAM_A, "app", "first"))
    stage.all_say(FIRST)
    stage.nothing_failed(TEAM_A, begun)
    kubectl.delete("routepolicy", "wrong", TEAM_A)


def test_a_stream_outlives_redis_and_operator(stage: Stage) -> None:
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
    asked: Any = objects.pod(stage.images, TEAM_A, "asked", "app.py", "idle", "auto")

    def admit() -> None:
        while not over.is_set():
            got = stage.kubectl.admitted(asked)
            admitted.append(sorted(c["name"] for c in got["spec"]["containers"]))

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


def _kill(stage: Stage, pod: Document, container: str) -> None:
    identifier = container_status(pod, container)["containerID"].partition("://")[2]
    stage.place.kill(identifier, pod["spec"]["nodeName"])


def _restarts(stage: Stage, pod: str) -> int:
    found = stage.kubectl.get("pod", pod, TEAM_A)
    return int(container_status(found, "penstock")["restartCount"])
