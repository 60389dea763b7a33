"""The chart goes and comes back; applications stay (pains 12 and 13)."""

import time

from tests.e2e import objects
from tests.e2e.objects import TEAM_A
from tests.e2e.stage import FIRST, SECOND, Stage

GONE = "e2e-gone"
DELETED_SECONDS = 60
KINDS = ("llmproviders", "modeltiers", "routepolicies", "budgets")


def test_helms_own_test_passes(stage: Stage) -> None:
    assert "Succeeded" in stage.release.run("test", "penstock", "--namespace", objects.OURS)


def test_pain_12_13_applications_outlive_the_chart_and_it_adopts_them(stage: Stage) -> None:
    """Pods run and start, a namespace goes at once, resources stay; then all of it works again."""
    kubectl = stage.kubectl
    kubectl.apply(objects.team(GONE))
    kubectl.apply(
        objects.policy(GONE, "app", "first"),
        objects.deployment(stage.images, GONE, "app", "app.py", "watch", "auto"),
    )
    kubectl.rolled_out("deployment/app", GONE)
    stage.all_say(FIRST, GONE)
    before = _uids(stage)
    begun = time.time()
    stage.release.uninstall()
    try:
        stage.all_say(FIRST)
        _a_new_pod_starts(stage)
        _a_namespace_goes(stage)
        stage.nothing_failed(TEAM_A, begun)
        assert _uids(stage) == before
    finally:
        stage.release.install()
    assert _uids(stage) == before
    kubectl.apply(objects.policy(TEAM_A, "app", "second"))
    stage.all_say(SECOND)
    kubectl.apply(objects.policy(TEAM_A, "app", "first"))
    stage.all_say(FIRST)
    stage.nothing_failed(TEAM_A, begun)


def _a_new_pod_starts(stage: Stage) -> None:
    """Without a sidecar, for there is nobody to give it one; nobody refuses it either."""
    new = objects.pod(stage.images, TEAM_A, "orphan", "app.py", "idle", "auto", inject="true")
    stage.kubectl.apply(new)
    stage.kubectl.wait("condition=Ready", "pod/orphan", TEAM_A)
    stage.kubectl.delete("pod", "orphan", TEAM_A)


def _a_namespace_goes(stage: Stage) -> None:
    begun = time.time()
    stage.kubectl.delete("namespace", GONE, "", f"--timeout={DELETED_SECONDS}s")
    what = "deletion of a namespace with policy and pod, without the operator"
    stage.figures.within(what, time.time() - begun, DELETED_SECONDS)
    assert not stage.kubectl.there("namespace", GONE)


def _uids(stage: Stage) -> dict[str, str]:
    """Of every resource of ours, and of what sidecars mount."""
    found = {}
    for namespace in (objects.MODELS, TEAM_A, objects.TEAM_B):
        for kind in KINDS:
            for each in stage.kubectl.list(kind, namespace):
                found[f"{kind}/{namespace}/{each['metadata']['name']}"] = each["metadata"]["uid"]
    for kind, name in (("configmap", "penstock-config"), ("secret", "penstock-credentials")):
        found[name] = stage.kubectl.get(kind, name, TEAM_A)["metadata"]["uid"]
    return found
