"""What holds of every plan, by random clusters and wishes."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_operator.ollama.planner.plan import plan
from penstock_operator.ollama.planner.types import Group, Node, Slot, Wish
from tests.operator.ollama.planner.checker import assert_holds, pools, worth
from tests.operator.ollama.planner.cluster import A100, L4, RTX4070, node, wish
from tests.operator.ollama.planner.optimum import optimum
from tests.operator.ollama.planner.random_cases import nodes_by, wishes_by

seeds = st.integers(0, 2**32 - 1).map(Random)
few = settings(max_examples=100, derandomize=True)


def case(random: Random) -> tuple[list[Node], list[Wish]]:
    return nodes_by(random), wishes_by(random)


@few
@given(seeds)
def test_every_placed_model_fits_and_no_gpu_is_over_its_memory_less_headroom(
    random: Random,
) -> None:
    nodes, wishes = case(random)
    assert_holds(plan(nodes, wishes), nodes, wishes)


@few
@given(seeds)
def test_a_node_more_never_places_less(random: Random) -> None:
    nodes, wishes = case(random)
    best = worth(plan(nodes, wishes), wishes)
    for index in range(len(nodes)):
        fewer = nodes[:index] + nodes[index + 1 :]
        assert worth(plan(fewer, wishes), wishes) <= best


@few
@given(seeds)
def test_the_order_of_nodes_wishes_and_groups_is_no_input(random: Random) -> None:
    nodes, wishes = case(random)
    before = plan(nodes[1:], wishes)
    expected = plan(nodes, wishes, before.groups)
    groups = list(before.groups)
    for each in (nodes, wishes, groups):
        random.shuffle(each)
    assert plan(nodes, wishes, groups) == expected


@few
@given(seeds)
def test_what_was_planned_is_planned_again(random: Random) -> None:
    nodes, wishes = case(random)
    first = plan(nodes, wishes)
    assert plan(nodes, wishes, first.groups) == first


@few
@given(seeds)
def test_a_plan_that_follows_another_holds_as_well(random: Random) -> None:
    """Other nodes, other wishes, some of them the same."""
    nodes, wishes = case(random)
    before = plan(nodes, wishes)
    later_nodes = random.sample(nodes, random.randint(0, len(nodes)))
    later_wishes = [*random.sample(wishes, random.randint(0, len(wishes)))]
    after = plan(later_nodes, later_wishes, before.groups)
    assert_holds(after, later_nodes, later_wishes)
    again = plan(later_nodes, later_wishes, after.groups)
    assert again == after


@few
@given(seeds)
def test_nothing_moves_when_a_wish_goes(random: Random) -> None:
    """Better packing is no gain; only what found no place before may come."""
    nodes, wishes = case(random)
    before = plan(nodes, wishes)
    if before.unplaced:
        return
    after = plan(nodes, wishes[1:], before.groups)
    assert after.groups == tuple(g for g in before.groups if g.provider != wishes[0].provider)


@few
@given(seeds)
def test_when_a_node_goes_nothing_else_moves_if_there_is_room_beside_it(random: Random) -> None:
    nodes, wishes = nodes_by(random), [w for w in wishes_by(random) if whole_gpus(w)]
    before = plan(nodes, wishes)
    stayed = [group for group in before.groups if group.node != nodes[0].name]
    rest, missing = beside(nodes[1:], stayed), not_in(stayed, wishes)
    if sum(optimum(rest, missing)[::2]) < sum(wish.replicas for wish in missing):
        return
    sizes = {g.name: g.replicas for g in plan(nodes[1:], wishes, before.groups).groups}
    assert all(sizes.get(group.name, 0) >= group.replicas for group in stayed)


def whole_gpus(wish: Wish) -> bool:
    return wish.gpu is not None and wish.gpu.sharing != "TimeSliced" and len(wish.needs) == 1


def beside(nodes: list[Node], groups: list[Group]) -> list[Node]:
    """Nodes with the slots that these groups leave. Slots of a pool are as good as its worst."""
    found = []
    for each in nodes:
        taken = Counter[str]()
        for group in groups:
            if group.node == each.name:
                taken.update({k: n * group.replicas for k, n in group.resources.items()})
        slots: list[Slot] = []
        for resource, those in pools(each).items():
            worst_first = sorted(those, key=lambda slot: slot.memory_mib - slot.foreign_mib)
            slots += worst_first[: len(those) - taken[resource]]
        found.append(replace(each, slots=tuple(slots)))
    return found


def not_in(groups: list[Group], wishes: list[Wish]) -> list[Wish]:
    """What of the wishes these groups do not serve."""
    there = Counter[str]()
    for group in groups:
        there[group.provider] += group.replicas
    missing = [replace(w, replicas=w.replicas - there[w.provider]) for w in wishes]
    return [wish for wish in missing if wish.replicas]


@pytest.mark.parametrize("gpus", [1, 2])
def test_of_single_gpus_more_nodes_never_place_less_in_large_clusters_either(gpus: int) -> None:
    """There it is exact at any size."""
    random = Random(gpus)
    nodes = [node(f"n{i:02}", random.choice([L4, A100, RTX4070]), gpus) for i in range(20)]
    sizes = [random.randrange(1000, 60_000, 500) for _ in range(15)]
    wishes = [
        wish(f"p{i:02}", size, replicas=random.randint(1, 6), priority=random.randint(0, 2))
        for i, size in enumerate(sizes)
    ]
    values = [worth(plan(nodes[:count], wishes), wishes) for count in range(len(nodes) + 1)]
    assert values == sorted(values)
    assert len(set(values)) > 10
