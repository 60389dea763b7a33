"""What an injected pod looks like, in both modes."""

import json
from typing import Any

import pytest

from penstock_operator.injection.template import Mode
from tests.operator.injection.pods import (
    MODES,
    app,
    env_of,
    injected,
    outcome_of,
    patched,
    pod,
    sidecar_of,
)

CLIENTS = {
    "OPENAI_BASE_URL": "http://localhost:4141/v1",
    "ANTHROPIC_BASE_URL": "http://localhost:4141",
    "OLLAMA_HOST": "http://localhost:4141",
    "OPENAI_API_KEY": "penstock",
    "ANTHROPIC_API_KEY": "penstock",
    "NO_PROXY": "localhost,127.0.0.1,::1",
    "no_proxy": "localhost,127.0.0.1,::1",
}


def test_pain_02_a_native_sidecar_is_the_first_init_container_and_goes_on() -> None:
    result = injected(pod(initContainers=[app("migrate"), app("warm")]), "native")
    first, *others = result["spec"]["initContainers"]
    assert (first["name"], first["restartPolicy"]) == ("penstock", "Always")
    assert first["startupProbe"]["periodSeconds"] == 1
    assert [each["name"] for each in others] == ["migrate", "warm"]
    assert all(env_of(each) == CLIENTS for each in (*others, *result["spec"]["containers"]))


def test_pain_02_elsewhere_it_is_the_first_container_and_holds_the_next_until_it_listens() -> None:
    result = injected(pod(app("a"), app("b"), initContainers=[app("migrate")]), "container")
    assert [each["name"] for each in result["spec"]["containers"]] == ["penstock", "a", "b"]
    sidecar = sidecar_of(result)
    assert "restartPolicy" not in sidecar
    assert sidecar["lifecycle"]["postStart"] == {"exec": {"command": ["penstock-sidecar", "ready"]}}
    assert result["spec"]["initContainers"] == [app("migrate")], "it runs before the sidecar"


@pytest.mark.parametrize("mode", MODES)
def test_pain_03_before_it_is_stopped_it_drains_and_does_not_exit(mode: Mode) -> None:
    command = sidecar_of(injected(pod(), mode))["lifecycle"]["preStop"]["exec"]["command"]
    assert command[:2] == ["penstock-sidecar", "drain"]


@pytest.mark.parametrize("mode", MODES)
def test_every_app_container_is_told_where_its_clients_go(mode: Mode) -> None:
    result = injected(pod(app("a"), app("b", env=[])), mode)
    apps = [each for each in result["spec"]["containers"] if each["name"] != "penstock"]
    assert [env_of(each) for each in apps] == [CLIENTS, CLIENTS]


@pytest.mark.parametrize("mode", MODES)
def test_pain_22_kubectl_still_goes_to_the_app(mode: Mode) -> None:
    key = "kubectl.kubernetes.io/default-container"
    annotations = injected(pod(app("a"), app("b")), mode)["metadata"]["annotations"]
    assert annotations[key] == "a"
    said = pod(app("a"), app("b"), meta={"annotations": {key: "b"}})
    assert injected(said, mode)["metadata"]["annotations"][key] == "b"


def test_pain_16_a_pod_says_which_sidecar_it_has() -> None:
    meta = injected(pod(meta={"labels": {"app": "shop"}}), "container")["metadata"]
    assert meta["labels"] == {
        "app": "shop",
        "penstock.dev/inject": "true",
        "penstock.dev/sidecar-version": "1.2.3",
    }
    assert json.loads(meta["annotations"]["penstock.dev/injected"]) == {
        "version": "1.2.3",
        "mode": "container",
        "container": "penstock",
    }


def test_the_sidecar_sees_its_files_and_knows_who_it_serves() -> None:
    result = injected(pod())
    sidecar = sidecar_of(result)
    assert {each["name"]: each["mountPath"] for each in sidecar["volumeMounts"]} == {
        "penstock-config": "/etc/penstock/config",
        "penstock-credentials": "/etc/penstock/credentials",
        "penstock-pod": "/etc/penstock/pod",
        "penstock-journal": "/var/lib/penstock",
    }
    assert env_of(sidecar) == {
        "PENSTOCK_NAMESPACE": None,
        "PENSTOCK_POD_NAME": None,
        "PENSTOCK_POD_UID": None,
        "PENSTOCK_APP": "shop",
        "PENSTOCK_PORT": "4141",
        "PENSTOCK_PROBE_PORT": "4142",
        "PENSTOCK_ADMIN_PORT": "4143",
        "PENSTOCK_JOURNAL_DIR": "/var/lib/penstock",
        "PENSTOCK_DRAIN_SECONDS": "25",
        "PENSTOCK_LOG_LEVEL": "info",
    }
    sources = {each["name"]: each for each in result["spec"]["volumes"]}
    assert sources["penstock-config"]["configMap"]["optional"] is True
    assert sources["penstock-credentials"]["secret"]["optional"] is True
    assert sources["penstock-journal"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "16Mi"}


def test_no_app_container_sees_a_volume_of_ours() -> None:
    result = injected(pod(app(volumeMounts=[{"name": "own", "mountPath": "/own"}])))
    assert result["spec"]["containers"][0]["volumeMounts"] == [{"name": "own", "mountPath": "/own"}]


@pytest.mark.parametrize("mode", MODES)
def test_a_second_admission_changes_nothing(mode: Mode) -> None:
    once = injected(pod(app(env=[{"name": "NO_PROXY", "value": ".corp"}])), mode)
    again = outcome_of(once, mode)
    assert (again.result, again.patch, again.warnings) == ("unchanged", (), ())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cluster", MODES)
def test_a_container_of_a_later_webhook_is_told_too(mode: Mode, cluster: Mode) -> None:
    """Also where the cluster was taken for another kind in between."""
    once = injected(pod(), mode)
    once["spec"]["containers"].insert(0, app("late"))
    outcome = outcome_of(once, cluster)
    result = patched(once, outcome.patch)
    assert outcome.result == "completed"
    assert env_of(result["spec"]["containers"][0]) == CLIENTS
    assert sidecar_of(result) == sidecar_of(once)


def test_an_init_container_of_a_later_webhook_is_told_where_the_sidecar_runs_first() -> None:
    once = injected(pod(), "native")
    once["spec"]["initContainers"].append(app("late"))
    assert env_of(injected(once, "container")["spec"]["initContainers"][1]) == CLIENTS


def test_a_pod_that_must_end_by_itself_is_told_how_its_sidecar_ends() -> None:
    job = pod(meta={"labels": {"penstock.dev/inject": "true"}}, restartPolicy="Never")
    (warning,) = outcome_of(job, "container").warnings
    assert "POST http://localhost:4143/quit" in warning
    assert outcome_of(job, "native").warnings == ()


def test_pain_21_the_patch_does_not_grow_with_the_pod() -> None:
    big = pod(meta={"annotations": {"big": "x" * 2_900_000}})
    assert len(json.dumps(outcome_of(big).patch)) < 8000


def test_nothing_that_is_null_is_in_the_way() -> None:
    """As some clients write it."""
    empty: dict[str, Any] = {"labels": None, "annotations": None, "ownerReferences": None}
    bare = pod(
        app(env=None, ports=None, volumeMounts=None, securityContext=None),
        meta=empty,
        volumes=None,
        initContainers=None,
        securityContext=None,
        nodeSelector=None,
    )
    assert sidecar_of(injected(bare))["name"] == "penstock"
