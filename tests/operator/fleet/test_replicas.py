"""What sidecars are told of replicas."""

import pytest

from penstock_config.fleet import Replica
from penstock_operator.fleet.observed import Told
from penstock_operator.fleet.replicas import doing, fleet_of
from tests.operator.fleet.things import group, model, pod, told


def test_a_replica_has_what_is_on_its_disk_and_what_is_in_memory() -> None:
    said = told(model("a"), model("b", "Idle"), model("c", "Pulling"), ready=True, of=pod())
    fleet = fleet_of([said], [group()], 1, 5.0)
    assert fleet.replicas == (
        Replica(
            name="p",
            address="http://10.0.0.7:11434",
            ready=True,
            models=("a", "b"),
            loaded=("a",),
        ),
    )
    assert (fleet.at, fleet.wanted, fleet.message) == (5.0, 1, "")


def test_a_model_that_is_made_anew_answers_as_it_was() -> None:
    making = [model("a", "Creating", size_bytes=1), model("b", "Loading", size_bytes=1)]
    (replica,) = fleet_of([told(*making, model("c", "Creating"))], [group()], 1, 5.0).replicas
    assert (replica.models, replica.loaded) == (("a", "b"), ("a",))


def test_an_ipv6_address_is_in_brackets() -> None:
    fleet = fleet_of([told(of=pod(address="fd00::7"))], [group()], 1, 5.0)
    assert fleet.replicas[0].address == "http://[fd00::7]:11434"


def test_who_has_no_address_or_goes_is_no_replica() -> None:
    pods = [told(of=pod("a", address=None)), told(of=pod("b", leaving=True, ready=False))]
    assert fleet_of(pods, [group()], 0, 5.0).replicas == ()


def test_a_loader_that_is_not_ready_outruns_the_kubelet() -> None:
    fleet = fleet_of([told(ready=False)], [group()], 1, 5.0)
    assert not fleet.replicas[0].ready


def test_of_a_ready_pod_that_does_not_answer_us_the_plan_holds() -> None:
    silent = [Told(pod("a")), Told(pod("b", ready=False)), Told(pod("c", group="unknown"))]
    fleet = fleet_of(silent, [group(models=("m", "n"), loaded=("m",))], 2, 5.0)
    assert [(r.ready, r.models, r.loaded) for r in fleet.replicas] == [
        (True, ("m", "n"), ("m",)),
        (False, (), ()),
        (True, (), ()),
    ]


PULLING = model("a", "Pulling", completed_bytes=43, total_bytes=100)


@pytest.mark.parametrize(
    ("pods", "said"),
    [
        ([told(PULLING)], "pulling a, 43 %"),
        ([told(model("a", "Pulling"))], "pulling a"),
        ([told(PULLING, model("b", "Loading"))], "loading b"),
        ([told(model("b", "Creating")), told(PULLING)], "creating b"),
        ([told(model("a", "Failed", message="no such model"))], "a failed: no such model"),
        ([told(model("a", "Waiting"))], "waiting to pull a"),
        ([Told(pod(fault="container ollama: ErrImagePull"))], "container ollama: ErrImagePull"),
        ([Told(pod())], "starting"),
    ],
)
def test_whoever_waits_is_told_what_is_being_done(pods: list[Told], said: str) -> None:
    not_ready = [
        Told(pod(each.pod.name, ready=False, fault=each.pod.fault), each.progress) for each in pods
    ]
    assert fleet_of(not_ready, [group()], 1, 5.0, "starting").message == said


def test_nothing_is_said_once_all_are_there() -> None:
    assert fleet_of([told(), told(PULLING, of=pod("b"))], [group()], 1, 5.0, "x").message == ""


def test_the_pull_that_is_furthest_is_told_of() -> None:
    later = model("z", "Pulling", completed_bytes=1, total_bytes=100)
    assert doing([told(later), told(PULLING)]) == "pulling a, 43 %"
