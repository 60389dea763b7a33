"""Pain 9: configuration takes minutes. From `kubectl apply` to every sidecar, in seconds."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e import objects
from tests.e2e.images.provider import LONG
from tests.e2e.kubectl import Begun
from tests.e2e.objects import LATE, TEAM_A
from tests.e2e.stage import FIRST, SECOND, THIRD, Stage, new_key

WITHIN_SECONDS = 5
ROTATED_WITHIN_SECONDS = 10
UNAIDED_SECONDS = 120


def test_pain_09_changes_reach_running_pods_in_seconds_and_streams_go_on(stage: Stage) -> None:
    """A changed policy, a new provider, a new policy and a new key, one after another."""
    begun = stage.kubectl.apply(objects.policy(TEAM_A, "app", "first"))
    with _streams(stage) as streams:
        _a_changed_policy(stage)
        _a_new_provider(stage)
        _a_new_policy(stage)
        _a_rotated_key(stage)
        assert all(stream.popen.poll() is None for stream in streams), "longer than the changes"
        ends = [stream.last_line()["stream"] for stream in streams]
    assert ends == [{"words": LONG["slow"], "finish": "stop"}] * len(streams)
    stage.nothing_failed(TEAM_A, begun)


def test_a_pod_older_than_any_policy_starts_and_serves_once_there_is_one(stage: Stage) -> None:
    kubectl = stage.kubectl
    kubectl.apply(objects.team(LATE))
    kubectl.apply(
        objects.deployment(stage.images, LATE, "app", "app.py", "watch", "auto", replicas=2)
    )
    kubectl.rolled_out("deployment/app", LATE)
    assert not kubectl.there("configmap", "penstock-config", LATE)
    stage.all_say("503 configuration_missing", LATE)
    applied = kubectl.apply(objects.policy(LATE, "app", "first"))
    served = stage.all_say(FIRST, LATE)
    restarts = [
        status["restartCount"]
        for pod in stage.pods(LATE)
        for status in pod["status"]["containerStatuses"]
    ]
    kubectl.delete("namespace", LATE, "", "--wait=false")
    assert set(restarts) == {0}
    what = "first policy of a namespace, to all sidecars of its running pods"
    stage.figures.within(what, served - applied, WITHIN_SECONDS)


@pytest.mark.slow
def test_without_the_touch_changes_arrive_when_the_kubelet_looks(stage: Stage) -> None:
    """`nudge.enabled=false` takes the right to patch pods away."""
    account = "--as=system:serviceaccount:penstock-system:penstock-operator"
    can_patch = ("auth", "can-i", "patch", "pods", "-n", TEAM_A, account)
    assert stage.kubectl.run(*can_patch) == "yes\n"
    with stage.release.changed(nudge={"enabled": False}):
        stage.kubectl.refusal(*can_patch)
        (stream,) = _begin_streams(stage, 1)
        applied = stage.kubectl.apply(objects.policy(TEAM_A, "app", "second"))
        served = stage.all_say(SECOND, seconds=UNAIDED_SECONDS + 10)
        assert stream.last_line()["stream"] == {"words": LONG["slow"], "finish": "stop"}
        stage.nothing_failed(TEAM_A, applied)
    what = "changed RoutePolicy, to all sidecars, without the touch"
    stage.kubectl.apply(objects.policy(TEAM_A, "app", "first"))
    stage.all_say(FIRST)
    stage.figures.within(what, served - applied, UNAIDED_SECONDS)


def _a_changed_policy(stage: Stage) -> None:
    applied = stage.kubectl.apply(objects.policy(TEAM_A, "app", "second"))
    served = stage.all_say(SECOND)
    what = "changed RoutePolicy, to all sidecars of running pods"
    stage.figures.within(what, served - applied, WITHIN_SECONDS)


def _a_new_provider(stage: Stage) -> None:
    """With its Secret, and in a tier that is in use."""
    applied = stage.kubectl.apply(
        objects.secret("others", stage.keys["others"]),
        objects.provider("other", "others", "third"),
        objects.tier("second", "other", "third"),
    )
    served = stage.all_say(THIRD)
    stage.key_arrives(stage.keys["others"], TEAM_A, WITHIN_SECONDS)
    what = "new LLMProvider with its Secret, to all sidecars of running pods"
    stage.figures.within(what, served - applied, WITHIN_SECONDS)


def _a_new_policy(stage: Stage) -> None:
    applied = stage.kubectl.apply(objects.policy(TEAM_A, "newer", "first", precedence=10))
    served = stage.all_say(FIRST)
    what = "new RoutePolicy, to all sidecars of running pods"
    stage.figures.within(what, served - applied, WITHIN_SECONDS)


def _a_rotated_key(stage: Stage) -> None:
    stage.keys["keys"] = new_key()
    applied = stage.kubectl.apply(objects.secret("keys", stage.keys["keys"]))
    served = stage.key_arrives(stage.keys["keys"], TEAM_A, ROTATED_WITHIN_SECONDS + 10)
    what = "rotated Secret of a provider, to all sidecars of running pods"
    stage.figures.within(what, served - applied, ROTATED_WITHIN_SECONDS)


@contextmanager
def _streams(stage: Stage) -> Iterator[list[Begun]]:
    """One in each pod, begun; in the end the resources are put back."""
    streams = _begin_streams(stage, len(stage.pods(TEAM_A)))
    try:
        yield streams
    finally:
        for stream in streams:
            stream.popen.kill()
            stream.popen.wait()
        stage.kubectl.apply(*stage.resources())
        stage.kubectl.delete("routepolicy", "newer", TEAM_A)
        stage.kubectl.delete("llmprovider", "other", objects.MODELS)
        stage.all_say(FIRST)


def _begin_streams(stage: Stage, count: int) -> list[Begun]:
    command = ("python", "app.py", "words", "slow")
    pods = stage.pod_names(TEAM_A)[:count]
    streams = [stage.kubectl.begin_in(pod, TEAM_A, *command) for pod in pods]
    for stream in streams:
        assert stream.line()["stream"] == "begins"
    return streams
