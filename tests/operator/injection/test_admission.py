"""Whether servers take the injected pod: schemas, and the PodSecurity level `restricted`."""

import copy
from typing import Any

import kubernetes_validate
import pytest

from penstock_operator.injection.template import Mode
from tests.operator.injection.pod_security import violations
from tests.operator.injection.pods import MODES, app, injected, pod, sidecar_of

NEWEST = kubernetes_validate.latest_version().removesuffix("-local").removesuffix("-strict")
STRICT: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}
RESTRICTED = pod(
    app(securityContext=STRICT),
    initContainers=[app("migrate", securityContext=STRICT)],
    securityContext={"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    volumes=[{"name": "own", "emptyDir": {}}],
)
FAULTS: dict[str, dict[str, Any]] = {
    "privileged": {"privileged": True},
    "privilege_escalation": {"allowPrivilegeEscalation": None},
    "capabilities": {"capabilities": {"drop": []}},
    "running_as_non_root": {"runAsNonRoot": False},
    "running_as_root_user": {"runAsUser": 0},
    "seccomp": {"seccompProfile": {"type": "Unconfined"}},
    "proc_mount": {"procMount": "Unmasked"},
    "selinux": {"seLinuxOptions": {"user": "u"}},
}


def check(document: Any, version: str) -> None:
    kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("version", ["1.29", NEWEST])
@pytest.mark.parametrize("mode", MODES)
def test_the_injected_pod_is_one_by_the_schema(mode: Mode, version: str) -> None:
    result = injected(RESTRICTED, mode)
    check(result, version)
    if mode == "native":
        assert result["spec"]["initContainers"][0]["restartPolicy"] == "Always"


def test_the_schema_of_1_29_is_the_first_with_which_we_go_native() -> None:
    """And a field that no server knows is found: the check can fail."""
    unknown = injected(RESTRICTED)
    sidecar_of(unknown)["restartPolicies"] = "Always"
    for version in ("1.29", NEWEST):
        with pytest.raises(kubernetes_validate.ValidationError, match="restartPolicies"):
            check(unknown, version)
    with pytest.raises(kubernetes_validate.ValidationError, match="restartPolicy"):
        check(injected(RESTRICTED, "native"), "1.26")


@pytest.mark.parametrize("mode", MODES)
def test_pain_15_a_restricted_pod_stays_restricted(mode: Mode) -> None:
    assert violations(RESTRICTED) == []
    assert violations(injected(RESTRICTED, mode)) == []


@pytest.mark.parametrize("mode", MODES)
def test_pain_15_a_sidecar_is_restricted_by_itself(mode: Mode) -> None:
    """Whatever the pod says: what is wrong is the app's."""
    result = injected(pod(app("loose")), mode)
    assert {line.rpartition(": ")[2] for line in violations(result)} == {"loose"}
    assert sidecar_of(result)["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("name", FAULTS)
def test_the_table_finds_each_fault(name: str) -> None:
    spoiled = copy.deepcopy(injected(RESTRICTED))
    sidecar_of(spoiled)["securityContext"] |= FAULTS[name]
    assert violations(spoiled) == [f"{name}: penstock"]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("host_namespaces: hostIPC", {"hostIPC": True}),
        ("volume_types: bad", {"volumes": [{"name": "bad", "hostPath": {"path": "/"}}]}),
        ("sysctls: kernel.msgmax", {"securityContext": {"sysctls": [{"name": "kernel.msgmax"}]}}),
    ],
)
def test_the_table_finds_faults_of_pods(name: str, changes: dict[str, Any]) -> None:
    assert name in violations(pod(**changes))
