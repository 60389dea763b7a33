"""Pods that get no sidecar, and what their people are told."""

from typing import Any

import pytest

from penstock_operator.injection import names
from penstock_operator.injection.template import Mode
from tests.operator.injection.pods import MODES, app, injected, outcome_of, pod

OURS = {"secretName": "penstock-credentials"}
KEY = {"secretKeyRef": {"name": "penstock-credentials", "key": "credentials.v1.json"}}
MOUNT = [{"name": "v", "mountPath": "/v"}]
LONGEST = "n" * 63

SKIPPED: dict[str, tuple[str, Any, str]] = {
    "opted out": ("OptedOut", pod(meta={"labels": {"penstock.dev/inject": "false"}}), "team"),
    "kube-system": ("ProtectedNamespace", pod(), "kube-system"),
    "ours": ("ProtectedNamespace", pod(), "penstock-system"),
    "mirror": ("StaticPod", pod(meta={"annotations": {"kubernetes.io/config.mirror": "x"}}), "a"),
    "ended": ("Ended", pod() | {"status": {"phase": "Succeeded"}}, "team"),
    "failed": ("Ended", pod() | {"status": {"phase": "Failed"}}, "team"),
    "leaving": ("Leaving", pod(meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}), "team"),
}

REFUSED: dict[str, tuple[str, Any, str]] = {
    "windows": ("NoLinux", pod(os={"name": "windows"}), "Linux"),
    "windows by label": ("NoLinux", pod(nodeSelector={"kubernetes.io/os": "windows"}), "Linux"),
    "host network": ("HostNetwork", pod(hostNetwork=True), "hostNetwork"),
    "shared processes": ("SharesProcesses", pod(shareProcessNamespace=True), "shareProcess"),
    "host's processes": ("SharesProcesses", pod(hostPID=True), "hostPID"),
    "name": ("NameTaken", pod(app("penstock")), "rename"),
    "init container's name": ("NameTaken", pod(initContainers=[app("penstock")]), "rename"),
    "volume": (
        "VolumeTaken",
        pod(volumes=[{"name": "penstock-journal", "emptyDir": {}}]),
        "penstock-journal",
    ),
    "container's user": (
        "SameUser",
        pod(app(LONGEST, securityContext={"runAsUser": 41414})),
        "41414",
    ),
    "pod's user": ("SameUser", pod(securityContext={"runAsUser": 41414}), "'app'"),
    "init container's user": (
        "SameUser",
        pod(initContainers=[app("i", securityContext={"runAsUser": 41414})]),
        "'i'",
    ),
    "volume of the Secret": (
        "ReadsCredentials",
        pod(app(LONGEST, volumeMounts=MOUNT), volumes=[{"name": "v", "secret": OURS}]),
        "only the sidecar may",
    ),
    "projected Secret": (
        "ReadsCredentials",
        pod(
            app(volumeMounts=MOUNT),
            volumes=[
                {
                    "name": "v",
                    "projected": {"sources": [{"secret": {"name": "penstock-credentials"}}]},
                }
            ],
        ),
        "'app'",
    ),
    "variable of the Secret": (
        "ReadsCredentials",
        pod(app(env=[{"name": "KEY", "valueFrom": KEY}])),
        "'app'",
    ),
    "variables of the Secret": (
        "ReadsCredentials",
        pod(app(envFrom=[{"secretRef": {"name": "penstock-credentials"}}])),
        "'app'",
    ),
    "port": ("PortTaken", pod(app(LONGEST, ports=[{"containerPort": 4141}])), "port 4141"),
    "probe port": ("PortTaken", pod(app(ports=[{"containerPort": 4142}])), "port 4142"),
    "chosen port": (
        "PortTaken",
        pod(
            app(ports=[{"containerPort": 9000}]),
            meta={"annotations": {"penstock.dev/admin-port": "9000"}},
        ),
        "port 9000",
    ),
}

ALLOWED = {
    "another user within ours": pod(
        app(securityContext={"runAsUser": 1000}), securityContext={"runAsUser": 41414}
    ),
    "root": pod(app(securityContext={"runAsUser": 0})),
    "a volume that nobody mounts": pod(volumes=[{"name": "v", "secret": OURS}]),
    "another Secret": pod(
        app(volumeMounts=MOUNT), volumes=[{"name": "v", "secret": {"secretName": "own"}}]
    ),
    "a port of UDP": pod(app(ports=[{"containerPort": 4141, "protocol": "UDP"}])),
    "a port that we left": pod(
        app(ports=[{"containerPort": 4141}]), meta={"annotations": {"penstock.dev/port": "4999"}}
    ),
    "linux": pod(os={"name": "linux"}, nodeSelector={"kubernetes.io/os": "linux"}),
}


@pytest.mark.parametrize("name", SKIPPED)
@pytest.mark.parametrize("mode", MODES)
def test_a_pod_that_needs_none_is_left_alone_in_silence(name: str, mode: Mode) -> None:
    reason, document, namespace = SKIPPED[name]
    outcome = outcome_of(document, mode, namespace)
    assert (outcome.result, outcome.reason) == ("skipped", reason)
    assert (outcome.patch, outcome.warnings) == ((), ())


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("mode", MODES)
def test_a_pod_that_would_be_harmed_stays_as_it_is_and_says_why(name: str, mode: Mode) -> None:
    reason, document, said = REFUSED[name]
    outcome = outcome_of(document, mode)
    assert (outcome.result, outcome.reason, outcome.patch) == ("refused", reason, ())
    (warning,) = outcome.warnings
    assert warning.startswith("Penstock: No sidecar was added: ")
    assert said in warning
    assert len(warning.encode()) <= 256, "an API server cuts it there"


@pytest.mark.parametrize("name", ALLOWED)
def test_what_only_looks_alike_is_injected(name: str) -> None:
    assert outcome_of(ALLOWED[name]).result == "injected"


def test_pain_22_ports_can_be_set_and_the_clients_follow() -> None:
    chosen = {"port": "5001", "probe-port": "5002", "admin-port": "5003"}
    annotations = {f"penstock.dev/{name}": text for name, text in chosen.items()}
    document = pod(app(ports=[{"containerPort": 4141}]), meta={"annotations": annotations})
    containers = injected(document)["spec"]
    env = {each["name"]: each["value"] for each in containers["containers"][0]["env"]}
    assert env["OPENAI_BASE_URL"] == "http://localhost:5001/v1"
    assert env["ANTHROPIC_BASE_URL"] == env["OLLAMA_HOST"] == "http://localhost:5001"
    sidecar = containers["initContainers"][0]
    assert sidecar["ports"] == [{"name": "penstock-probe", "containerPort": 5002}]
    assert {sidecar[f"{each}Probe"]["httpGet"]["port"] for each in ("startup", "liveness")} == {
        5002
    }


def test_pain_01_a_job_is_not_kept_from_ending_by_its_namespace_s_label() -> None:
    for policy in ("Never", "OnFailure"):
        job = pod(restartPolicy=policy)
        outcome = outcome_of(job, "container")
        assert (outcome.result, outcome.reason) == ("refused", "WouldNotEnd")
        assert "POST /quit" in outcome.message
        assert outcome_of(job, "native").result == "injected"
    assert outcome_of(pod(restartPolicy="Always"), "container").result == "injected"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"shareProcessNamespace": True}, "SharesProcesses"),
        ({"securityContext": {"runAsUser": names.USER}}, "SameUser"),
    ],
)
def test_what_comes_after_the_sidecar_and_harms_it_is_told(
    changes: dict[str, Any], reason: str
) -> None:
    once = injected(pod())
    once["spec"] |= changes
    outcome = outcome_of(once)
    assert (outcome.result, outcome.reason, outcome.patch) == ("refused", reason, ())
    assert "This pod should have no sidecar" in outcome.warnings[0]


def test_an_app_that_mounts_our_volume_after_the_sidecar_came_is_told() -> None:
    once = injected(pod())
    mount = {"name": "penstock-credentials", "mountPath": "/stolen"}
    once["spec"]["containers"].append(app("late", volumeMounts=[mount]))
    assert outcome_of(once).reason == "ReadsCredentials"


def test_the_annotation_alone_makes_no_sidecar() -> None:
    """As in a template that was copied from a running pod."""
    copied = pod(meta={"annotations": {"penstock.dev/injected": "{}"}})
    assert outcome_of(copied).result == "injected"
