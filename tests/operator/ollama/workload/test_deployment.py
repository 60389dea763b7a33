"""The Deployment of a placement group: how it changes, and what restarts its pods."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from penstock_operator.ollama.workload.comparison import differs
from penstock_operator.ollama.workload.installation import Found, Images
from tests.operator.ollama.workload.plans import (
    INSTALLATION,
    Document,
    Planned,
    read,
)


def deployment(planned: Planned) -> Document:
    (found,) = (each for each in planned.objects if each["kind"] == "Deployment")
    return found


def loader(document: Document) -> str:
    _, found = document["spec"]["template"]["spec"]["containers"]
    return str(found["image"])


def with_ollama(planned: Planned, **fields: Any) -> Planned:
    """Fields of `spec.ollama` replaced."""
    spec = planned.provider.spec
    assert spec.ollama
    ollama = spec.ollama.model_copy(update=fields)
    changed = planned.provider.model_copy(
        update={"spec": spec.model_copy(update={"ollama": ollama})}
    )
    return replace(planned, provider=changed)


def newer(planned: Planned, there: Document) -> Planned:
    """A release later."""
    images = Images(INSTALLATION.images.ollama, "penstock-operator:2.0.0")
    return replace(
        planned,
        installation=replace(INSTALLATION, images=images),
        found=Found(deployments={there["metadata"]["name"]: there}),
    )


def as_stored(document: Document) -> Document:
    """With some of what an API server adds."""
    found = copy.deepcopy(document)
    found["metadata"]["resourceVersion"] = "7"
    found["spec"]["template"]["spec"]["dnsPolicy"] = "ClusterFirst"
    for container in found["spec"]["template"]["spec"]["containers"]:
        container["terminationMessagePath"] = "/dev/termination-log"
    return found


def test_a_new_release_of_the_operator_restarts_no_model() -> None:
    planned = read("one-gpu")
    there = as_stored(deployment(planned))
    later = deployment(newer(planned, there))
    assert loader(later) == "penstock-operator:1.0.0"
    assert not differs(there, later)


def test_what_restarts_a_pod_anyway_brings_the_new_loader() -> None:
    planned = read("one-gpu")
    there = as_stored(deployment(planned))
    changed = with_ollama(planned, image="ollama:new")
    assert loader(deployment(newer(changed, there))) == "penstock-operator:2.0.0"


def test_a_deployment_of_somebody_else_is_no_reason_to_keep_an_image() -> None:
    planned = read("one-gpu")
    for there in ({}, {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}):
        document = {"metadata": {"name": "llama-1a2b"}, **there}
        assert loader(deployment(newer(planned, document))) == "penstock-operator:2.0.0"


def test_other_models_restart_no_pod() -> None:
    """Where one server gives them the same: the loader reads its file again."""
    planned = read("one-gpu")
    assert planned.provider.spec.ollama
    (model,) = planned.provider.spec.ollama.models
    more = with_ollama(planned, models=(model, model.model_copy(update={"name": "other"})))
    (group,) = planned.groups
    models = (*group.models, "other")
    more = replace(
        more,
        groups=(replace(group, models=models, loaded=models),),
        needs={**planned.needs, "other": replace(planned.needs[model.name], model="other")},
    )
    assert deployment(more) == deployment(planned)
    assert more.objects != planned.objects


@pytest.mark.parametrize("resources", [{}, {"nvidia.com/gpu": 1}])
def test_other_models_in_memory_restart_no_pod(resources: dict[str, int]) -> None:
    planned = read("on-demand")
    found = []
    for loaded in ("b",), ("b", "d"), ("a",):
        group = replace(planned.groups[0], loaded=loaded, resources=resources)
        group = group if resources else replace(group, slots=())
        found.append(deployment(replace(planned, groups=(group,))))
    assert found[0] == found[1] == found[2]


def test_on_cpu_there_is_memory_for_the_largest_that_takes_its_turn_or_for_all() -> None:
    planned = read("on-demand")
    group = replace(planned.groups[0], loaded=("a",), resources={}, slots=())
    planned = replace(planned, groups=(group,))
    for loading, memory in (("OnDemand", "912Mi"), ("Always", "1512Mi")):
        of = deployment(with_ollama(planned, loading=loading))
        (container, _) = of["spec"]["template"]["spec"]["containers"]
        assert container["resources"]["requests"]["memory"] == memory


def test_more_replicas_restart_no_pod() -> None:
    planned = read("one-gpu")
    (group,) = planned.groups
    more = replace(planned, groups=(replace(group, replicas=3),))
    assert deployment(more)["spec"]["template"] == deployment(planned)["spec"]["template"]


def test_the_only_replica_waits_for_the_next() -> None:
    planned = read("one-gpu")
    rolling = {"maxSurge": 1, "maxUnavailable": 0}
    assert deployment(planned)["spec"]["strategy"]["rollingUpdate"] == rolling
    (group,) = planned.groups
    for room in (
        replace(planned, groups=(replace(group, replicas=2),)),
        replace(planned, found=Found(pausable=frozenset({group.name}))),
    ):
        rolling = {"maxSurge": 1, "maxUnavailable": 1}
        assert deployment(room)["spec"]["strategy"]["rollingUpdate"] == rolling


def test_answers_end_before_a_pod_does() -> None:
    planned = read("one-gpu")
    spec = deployment(planned)["spec"]["template"]["spec"]
    assert spec["terminationGracePeriodSeconds"] > planned.provider.spec.timeouts.total_seconds


def test_ollama_is_told_to_end_once_its_answers_have_ended() -> None:
    """The loader knows when, and stays as long; what hangs is not waited for."""
    for container in deployment(read("one-gpu"))["spec"]["template"]["spec"]["containers"]:
        assert container["lifecycle"]["preStop"]["httpGet"] == {
            "path": "/drain",
            "port": 4144,
            "scheme": "HTTP",
        }
        assert container["livenessProbe"]["terminationGracePeriodSeconds"] < 60


def test_a_pull_of_hours_is_no_failure() -> None:
    planned = read("one-gpu")
    document = deployment(planned)
    _, container = document["spec"]["template"]["spec"]["containers"]
    probe = container["startupProbe"]
    bound = probe["periodSeconds"] * probe["failureThreshold"]
    assert bound >= 6 * 3600
    assert document["spec"]["progressDeadlineSeconds"] > bound
