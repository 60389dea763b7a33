"""Which pods get a sidecar, and what they are told."""

from collections.abc import Iterator

import pytest

from tests.e2e import objects
from tests.e2e.kubectl import Document, eventually
from tests.e2e.objects import OURS, TEAM_A, asked_pod
from tests.e2e.stage import APP, Stage, container_of, names

PLAIN = "e2e-plain"
FULL = "e2e-quota"


@pytest.fixture(scope="module")
def plain(stage: Stage) -> Iterator[str]:
    """A namespace that asks for nothing."""
    stage.kubectl.apply(objects.namespace(PLAIN))
    yield PLAIN
    stage.kubectl.delete("namespace", PLAIN, "", "--wait=false")


def test_pods_that_do_not_ask_are_never_touched(stage: Stage, plain: str) -> None:
    for namespace, labels in (
        (plain, {}),
        ("kube-system", {"inject": "true"}),
        (OURS, {"inject": "true"}),
        (TEAM_A, {"inject": "false"}),
    ):
        asked = asked_pod(stage.images, namespace, **labels)
        got = stage.kubectl.admitted(asked)
        assert names(got) == ["app"], namespace
        assert "penstock.dev/injected" not in got["metadata"].get("annotations", {})
        assert _own_labels(got) == _own_labels(asked)
        assert got["spec"]["containers"][0].get("env") is None


def test_one_pod_asks_in_a_namespace_that_does_not(stage: Stage, plain: str) -> None:
    got = stage.kubectl.admitted(asked_pod(stage.images, plain, inject="true"))
    assert names(got) == ["app", "penstock"]


def test_pain_15_an_injected_pod_fits_quotas_and_limits(stage: Stage) -> None:
    """Every container must state what it needs, and stay in bounds, where a namespace says so."""
    kubectl = stage.kubectl
    kubectl.apply(objects.team(FULL))
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "all", "namespace": FULL},
            "spec": {
                "hard": {"requests.cpu": "1", "requests.memory": "1Gi", "limits.memory": "1Gi"}
            },
        },
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "each", "namespace": FULL},
            "spec": {"limits": [{"type": "Container", "max": {"memory": "512Mi"}}]},
        },
    )
    asked = asked_pod(stage.images, FULL)
    needs = {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}}
    asked["spec"]["containers"][0]["resources"] = needs
    got = eventually(lambda: kubectl.admitted(asked))  # a quota counts before it admits
    kubectl.delete("namespace", FULL, "", "--wait=false")
    sidecar = container_of(got, "penstock")["resources"]
    assert {"cpu", "memory"} <= sidecar["requests"].keys()
    assert "memory" in sidecar["limits"]


def test_pain_22_people_reach_the_app_without_naming_it(stage: Stage) -> None:
    """And a port that the app takes from the sidecar is told at admission."""
    got = stage.kubectl.admitted(asked_pod(stage.images, TEAM_A))
    assert got["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] == "app"
    clashing = asked_pod(stage.images, TEAM_A)
    clashing["spec"]["containers"][0]["ports"] = [{"containerPort": 4141}]
    told = stage.kubectl.warnings(clashing)
    assert "4141" in told, told


def test_injection_goes_on_while_the_injector_is_replaced(stage: Stage) -> None:
    """Pod by pod, as an upgrade does: none is missed."""
    kubectl = stage.kubectl
    what = "deployment/penstock-injector"
    kubectl.run("rollout", "restart", what, "-n", OURS)
    made: list[list[str]] = []
    while not made or not _is_rolled_out(stage):
        made.append(names(kubectl.admitted(asked_pod(stage.images, TEAM_A))))
    assert all(found == ["app", "penstock"] for found in made), made
    kubectl.rolled_out(what, OURS)
    assert stage.pods(TEAM_A, APP)


def _is_rolled_out(stage: Stage) -> bool:
    found = stage.kubectl.get("deployment", "penstock-injector", OURS)
    status, wanted = found["status"], found["spec"]["replicas"]
    return bool(
        status["observedGeneration"] == found["metadata"]["generation"]
        and status.get("updatedReplicas") == status.get("replicas") == wanted
        and status.get("availableReplicas") == wanted
    )


def _own_labels(pod: Document) -> dict[str, str]:
    labels = pod["metadata"]["labels"]
    return {name: value for name, value in labels.items() if name.startswith("penstock.dev/")}
