"""From what is wanted and what is there to groups, and which Deployments may go."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from penstock_config.tier import Tier
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.fleet.deciding import Case, blocked_nodes, decide, leaving, standings
from penstock_operator.fleet.documents import documents_of, unwanted
from penstock_operator.fleet.observed import PLACEMENT_ANNOTATION, Told
from penstock_operator.fleet.priorities import priorities
from penstock_operator.ollama.planner.types import Group, Node, Slot
from penstock_operator.ollama.workload.installation import Found, Images, Installation
from tests.operator.compile.documents import provider
from tests.operator.fleet.things import AT, group, pod, told

INSTALLATION = Installation(Images("ollama:1", "operator:1"), "penstock-system")


def node(name: str, memory: int = 24_000, count: int = 1, *, usable: bool = True) -> Node:
    slots = tuple(Slot("nvidia.com/gpu", i, memory, "NVIDIA-L4") for i in range(count))
    return Node(name, slots, labels={"kubernetes.io/hostname": name}, usable=usable)


def managed(name: str = "own", model: str = "llama3.2:3b", **ollama: Any) -> LLMProvider:
    spec = {"models": [{"name": model}], "gpu": {}} | ollama
    found = provider(name, ollama=spec, baseURL=None)
    meta = found.metadata.model_copy(update={"uid": f"uid-{name}"})
    return found.model_copy(update={"metadata": meta})


def named(groups: tuple[Group, ...]) -> dict[str, Group]:
    return {each.name: each for each in groups}


def test_what_is_there_stays_where_it_is() -> None:
    own, nodes = managed(), [node("a"), node("b"), node("c")]
    first = decide([Case(own, 2)], nodes)["llm/own"].groups
    assert len({each.node for each in first}) == 2
    again = decide([Case(own, 2, there=named(first))], nodes[::-1])["llm/own"].groups
    assert again == first


def test_a_node_that_is_not_ready_has_its_groups_moved() -> None:
    own = managed()
    (first,) = decide([Case(own, 1)], [node("a")])["llm/own"].groups
    nodes = [node("a", usable=False), node("b")]
    (moved,) = decide([Case(own, 1, there=named((first,)))], nodes)["llm/own"].groups
    assert (first.node, moved.node) == ("a", "b")


def test_a_list_of_models_that_changes_keeps_the_deployment() -> None:
    (first,) = decide([Case(managed(), 1)], [node("a")])["llm/own"].groups
    more = managed(models=[{"name": "llama3.2:3b"}, {"name": "llama3.2:1b"}])
    (second,) = decide([Case(more, 1, there=named((first,)))], [node("a")])["llm/own"].groups
    assert second.name == first.name
    assert second.models == ("llama3.2:1b", "llama3.2:3b")


def test_scaled_to_zero_the_deployments_stay_and_have_none() -> None:
    """With their volumes, so that nothing need be pulled again."""
    own = managed()
    (first,) = decide([Case(own, 1)], [node("a")])["llm/own"].groups
    (kept,) = decide([Case(own, 0, there=named((first,)))], [node("a")])["llm/own"].groups
    assert (kept.name, kept.node, kept.replicas) == (first.name, "a", 0)
    other = managed("other")
    found = decide([Case(own, 0, there=named((first,))), Case(other, 1)], [node("a")])
    assert found["llm/other"].groups[0].node == "a"
    assert decide([Case(own, 0)], [node("a")])["llm/own"].groups == ()


def test_what_sleeps_is_kept_for_as_many_as_may_wake() -> None:
    scale = {"min": 0, "max": 3}
    own = managed(storage={"size": "9Gi"}, autoscaling=scale)
    nodes = [node(name) for name in "abcd"]
    asleep = named(
        tuple(
            replace(group, replicas=0) for group in decide([Case(own, 4)], nodes)["llm/own"].groups
        )
    )
    assert len(asleep) == 4

    def replicas(of: LLMProvider, wanted: int, there: list[Node]) -> list[int]:
        found = decide([Case(of, wanted, there=asleep)], there)["llm/own"].groups
        assert {group.name for group in found} <= asleep.keys()
        return sorted(group.replicas for group in found)

    assert replicas(own, 1, nodes) == [0, 0, 1]
    assert replicas(own, 3, nodes) == [1, 1, 1]
    assert replicas(own, 1, nodes[:2]) == [0, 1], "of a node that is gone nothing is awaited"
    assert replicas(managed(autoscaling=scale), 1, nodes) == [1], "there is no volume"
    assert replicas(managed(storage={"size": "9Gi"}), 1, nodes) == [1], "nobody scales it"
    other = managed("own", "qwen2.5:14b", storage={"size": "9Gi"}, autoscaling=scale)
    assert len(decide([Case(other, 1, there=asleep)], nodes)[other.id].groups) == 1


def test_a_list_of_models_may_change_while_all_sleep_or_nobody_knows_their_sizes() -> None:
    both = managed(models=[{"name": "llama3.2:3b"}, {"name": "llama3.2:1b"}])
    there = named(decide([Case(both, 1)], [node("a")])["llm/own"].groups)

    def written(of: LLMProvider, wanted: int) -> list[tuple[str, int]]:
        decided = decide([Case(of, wanted, there=there)], [node("a")])["llm/own"]
        documents = documents_of(of, decided, INSTALLATION, Found())
        return [
            (each["metadata"]["name"], each["spec"]["replicas"])
            for each in documents
            if each["kind"] == "Deployment"
        ]

    assert written(managed(), 0) == [(name, 0) for name in there]
    assert written(managed(model="qwen2.5:14b"), 0) == [], "nothing of it is wanted any more"
    unknown = managed(model="hand/made")
    assert written(unknown, 1) == []
    assert named(decide([Case(unknown, 1, there=there)], [node("a")])["llm/own"].groups) == there


def test_nobody_moves_while_nodes_cannot_be_seen() -> None:
    own, on_cpu = managed(), managed("cpu")
    on_cpu = on_cpu.model_copy(
        update={
            "spec": on_cpu.spec.model_copy(
                update={"ollama": on_cpu.spec.ollama.model_copy(update={"gpu": None})}  # type: ignore[union-attr]  # it has one
            )
        }
    )
    there = named((group("g", "a", "llama3.2:3b"),))
    found = decide([Case(own, 1, there=there), Case(on_cpu, 1)], None)
    assert found["llm/own"].groups == (there["g"],)
    assert [each.node for each in found["llm/cpu"].groups] == [None]


def test_what_has_no_place_is_a_group_too() -> None:
    found = decide([Case(managed(model="llama3.1:70b"), 1)], [node("a")])["llm/own"]
    (only,) = found.groups
    assert only.name in found.pending
    assert found.unplaced[0].reason == "InsufficientVRAM"
    there = named((only, group("g", "a", "llama3.1:70b")))
    again = decide([Case(managed(model="llama3.1:70b"), 1, there=there)], [node("a")])["llm/own"]
    assert again.groups == (only,)


def test_higher_priority_goes_first() -> None:
    low, high = managed("low"), managed("high")
    there = named(decide([Case(low, 1)], [node("a")])["llm/low"].groups)
    found = decide([Case(low, 1, there=there), Case(high, 1, priority=5)], [node("a")])
    assert found["llm/high"].groups[0].node == "a"
    assert found["llm/low"].unplaced[0].reason == "NoGpuFree"


def test_a_name_that_nothing_can_be_run_under_takes_no_gpu() -> None:
    first, second = managed("llama-3.1"), managed("second")
    found = decide([Case(first, 1, priority=5), Case(second, 1)], [node("a")])
    assert found["llm/llama-3.1"].groups == ()
    assert [each.node for each in found["llm/second"].groups] == ["a"]


def test_who_has_no_room_for_more_keeps_what_it_has_beside_equals() -> None:
    own = managed(model="llama3.1:8b")
    other = managed("other", models=[{"name": "llama3.2:3b"}, {"name": "llama3.2:1b"}])
    there = named(decide([Case(own, 1)], [node("a")])["llm/own"].groups)
    found = decide([Case(own, 2, there=there), Case(other, 1)], [node("a")])
    assert {each.name: each for each in found["llm/own"].groups if each.node} == there
    assert [each.node for each in found["llm/other"].groups] == [None]


NEW, OLD = group("new", "b"), group("old", "a")
BOTH = {"new": NEW, "old": OLD}


def test_the_old_one_goes_once_the_new_one_is_ready() -> None:
    old = told(of=pod("o", "old", node="a"))
    coming, ready = Told(pod("n", "new", node="b", ready=False)), told(of=pod("n", "new", node="b"))
    assert leaving([NEW], BOTH, standings([NEW], BOTH, [old, coming]), wanted=1) == ()
    assert leaving([NEW], BOTH, standings([NEW], BOTH, [old, ready]), wanted=1) == ("old",)


def test_what_is_on_a_dead_node_goes_once_others_serve() -> None:
    """Also before the others are there; and pods that were ready do not count."""
    old, new = told(of=pod("o", "old", node="a")), told(of=pod("n", "new", node="b"))
    away = frozenset({"a"})
    only_old = {"old": OLD}
    assert leaving([NEW], only_old, standings([NEW], only_old, [old], away, away), wanted=1) == ()
    assert leaving([NEW], BOTH, standings([NEW], BOTH, [old], away, away), wanted=1) == ()
    served = standings([NEW], BOTH, [old, new], away, away)
    assert leaving([NEW], BOTH, served, wanted=1) == ("old",)
    assert leaving([NEW], BOTH, served, wanted=2) == (), "the second has no place elsewhere"
    assert leaving([NEW], BOTH, standings([NEW], BOTH, [], away), wanted=1) == ("old",)


def test_what_is_in_the_way_goes_ready_or_not() -> None:
    old = told(of=pod("o", "old", node="a"))
    standing = standings([NEW], BOTH, [old])
    assert leaving([NEW], BOTH, standing, wanted=1, blocked=frozenset({"b"})) == ()
    assert leaving([NEW], BOTH, standing, wanted=1, blocked=frozenset({"a"})) == ("old",)


def test_what_had_no_place_goes_as_soon_as_it_has_one() -> None:
    pending = group("x-pending", None, resources={"nvidia.com/gpu": 1})
    there = {"x-pending": pending, "new": NEW}
    assert leaving([NEW], there, standings([NEW], there, []), wanted=1) == ("x-pending",)


def test_with_nothing_wanted_what_is_not_kept_goes() -> None:
    kept = group("old", "a", replicas=0)
    standing = standings([kept], BOTH, [told(of=pod("n", "new"))])
    assert leaving([kept], BOTH, standing, wanted=0) == ("new",)


def test_a_node_is_blocked_once_a_planned_pod_has_waited_there() -> None:
    def waiting(seconds: float, name: str = "new") -> Told:
        since = AT - timedelta(seconds=seconds)
        return Told(pod("n", name, ready=False, unschedulable="x", unschedulable_since=since))

    assert blocked_nodes([NEW], [waiting(9)], AT) == frozenset()
    assert blocked_nodes([NEW], [waiting(10)], AT) == {"b"}
    assert blocked_nodes([NEW], [waiting(10, "other")], AT) == frozenset()
    assert blocked_nodes([NEW], [told(of=pod("n", "new"))], AT) == frozenset()


def test_documents_carry_what_is_read_back_and_what_has_no_place_its_floor() -> None:
    huge = managed(model="llama3.1:70b")
    decided = decide([Case(huge, 1)], [node("a")])["llm/own"]
    *_, deployment = documents_of(huge, decided, INSTALLATION, Found())
    assert PLACEMENT_ANNOTATION in deployment["metadata"]["annotations"]
    affinity = deployment["spec"]["template"]["spec"]["affinity"]
    (term,) = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    keys = [each["key"] for each in term["matchExpressions"]]
    assert keys == ["nvidia.com/gpu.memory", "kubernetes.io/hostname"]


def test_a_budget_for_disruptions_goes_with_the_last_but_one_replica() -> None:
    """It would keep a node from being drained."""
    own, nodes = managed(), [node("a"), node("b")]
    two = documents_of(own, decide([Case(own, 2)], nodes)["llm/own"], INSTALLATION, Found())
    assert unwanted(own, two, INSTALLATION) == []
    one = documents_of(own, decide([Case(own, 1)], nodes)["llm/own"], INSTALLATION, Found())
    (gone,) = unwanted(own, one, INSTALLATION)
    assert (gone["kind"], gone["metadata"]["name"]) == ("PodDisruptionBudget", "own")


def test_a_provider_is_as_important_as_the_best_tier_that_leads_to_it() -> None:

    def tier(id_: str, *providers: str) -> Tier:
        candidates = [{"provider": each, "model": "m"} for each in providers]
        return Tier.model_validate(
            {"id": id_, "name": id_, "candidates": candidates, "strategy": "Weighted"}
        )

    tiers = {"llm/a": tier("llm/a", "llm/x", "llm/y"), "llm/b": tier("llm/b", "llm/y")}
    said = {"llm/a": 3, "llm/b": 8, "llm/unused": 99}
    assert priorities(tiers, said) == {"llm/x": 3, "llm/y": 8}
