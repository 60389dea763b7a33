"""What is placed where, by plain cases."""

from dataclasses import replace

import pytest

from penstock_operator.ollama.planner.plan import plan
from penstock_operator.ollama.planner.types import GpuWish, Plan, Slot, Taint, Toleration, Wish
from tests.operator.ollama.planner.cluster import (
    A100,
    L4,
    RTX4070,
    need,
    node,
    shared,
    sliced,
    wish,
)


def places(found: Plan) -> list[tuple[str, str | None, int]]:
    return [(g.provider.removeprefix("team/"), g.node, g.replicas) for g in found.groups]


def reasons(found: Plan) -> list[str]:
    return [lot.reason for lot in found.unplaced]


def test_a_small_model_leaves_the_large_gpu_to_others() -> None:
    nodes = [node("a-large", A100), node("b-small", L4)]
    assert places(plan(nodes, [wish("small", 2000)])) == [("small", "b-small", 1)]


def test_a_second_smaller_provider_is_not_starved() -> None:
    """Its first replica counts for more than the others' second ones, whoever was there before."""
    nodes = [node("a", L4, gpus=4)]
    large = wish("large", 9000, replicas=9, priority=5)
    before = plan(nodes, [large])
    assert places(before) == [("large", "a", 4)]
    after = plan(nodes, [large, wish("small", 2000)], before.groups)
    assert places(after) == [("large", "a", 3), ("small", "a", 1)]


def test_a_higher_priority_takes_the_place_of_a_lower_and_is_named() -> None:
    nodes = [node("a", L4)]
    low = wish("low", 9000)
    before = plan(nodes, [low])
    after = plan(nodes, [low, wish("high", 9000, priority=10)], before.groups)
    assert places(after) == [("high", "a", 1)]
    (lot,) = after.unplaced
    assert (lot.provider, lot.reason) == ("team/low", "NoGpuFree")
    assert "team/high (1, priority 10)" in lot.message


def test_what_slept_wakes_where_it_was_if_there_is_room() -> None:
    nodes = [node("a", L4), node("b", L4), node("c", A100)]
    sleeper, other = wish("sleeper", 9000), wish("other", 9000)
    (there,) = plan(nodes[2:], [sleeper]).groups
    asleep = replace(there, replicas=0)
    assert places(plan(nodes, [sleeper])) == [("sleeper", "a", 1)]
    woken = plan(nodes, [sleeper], [asleep])
    assert places(woken) == [("sleeper", "c", 1)]
    assert plan(nodes, [sleeper], woken.groups) == woken
    took = plan(nodes[2:], [other]).groups
    assert places(plan(nodes, [sleeper, other], [asleep, *took])) == [
        ("other", "c", 1),
        ("sleeper", "a", 1),
    ]
    assert places(plan(nodes, [replace(sleeper, replicas=2)], [asleep])) == [
        ("sleeper", "a", 1),
        ("sleeper", "c", 1),
    ]


def test_equals_do_not_displace_one_another() -> None:
    nodes = [node("a", L4)]
    late = wish("a-late", 2000)
    before = plan(nodes, [wish("z-early", 9000)])
    after = plan(nodes, [late, wish("z-early", 9000)], before.groups)
    assert after.groups == before.groups


def test_the_displaced_go_elsewhere_where_they_can() -> None:
    nodes = [node("a", L4), node("b", A100)]
    low = wish("low", 9000)
    before = plan(nodes[:1], [low])
    only_l4 = replace(
        wish("high", 9000, priority=1), gpu=GpuWish(products=("NVIDIA-L4",), headroom_mib=0)
    )
    after = plan(nodes, [low, only_l4], before.groups)
    assert places(after) == [("high", "a", 1), ("low", "b", 1)]
    assert not after.unplaced


def test_better_packing_alone_moves_nothing() -> None:
    before = plan([node("large", A100)], [wish("p", 2000)])
    after = plan([node("large", A100), node("small", L4)], [wish("p", 2000)], before.groups)
    assert after.groups[0].node == "large"


def test_what_runs_moves_when_else_something_had_no_place() -> None:
    before = plan([node("large", A100)], [wish("p", 2000)])
    nodes = [node("large", A100), node("small", L4)]
    after = plan(nodes, [wish("p", 2000), wish("big", 60_000)], before.groups)
    assert places(after) == [("big", "large", 1), ("p", "small", 1)]


def test_single_gpus_make_way_for_one_that_needs_all_of_a_node() -> None:
    nodes = [node("a", L4, gpus=4), node("b", L4, gpus=4)]
    singles = [wish(f"s{i}", 2000) for i in range(4)]
    before = plan([nodes[0]], singles[:2]).groups + plan([nodes[1]], singles[2:]).groups
    after = plan(nodes, [*singles, wish("wide", 60_000, count=4)], before)
    assert not after.unplaced
    moved = {g.provider: g.node for g in before}.items() - {
        g.provider: g.node for g in after.groups
    }.items()
    assert len(moved) == 2


def test_replicas_are_spread_over_zones_then_nodes() -> None:
    nodes = [node(f"{zone}{i}", L4, 2, zone) for zone in "xy" for i in (1, 2)]
    found = plan(nodes, [wish("p", 9000, replicas=4)])
    assert places(found) == [("p", f"{zone}{i}", 1) for zone in "xy" for i in (1, 2)]


def test_a_model_that_comes_to_a_provider_joins_the_others_only_where_no_gpu_is_free() -> None:
    before = plan([node("a", L4)], [wish("p", 9000)])
    joined = plan([node("a", L4)], [wish("p", 9000, 2000)], before.groups)
    assert [(g.node, g.models) for g in joined.groups] == [("a", ("m0", "m1"))]
    beside = plan([node("a", L4), node("b", L4)], [wish("p", 9000, 2000)], before.groups)
    assert [(g.node, g.models) for g in beside.groups] == [("a", ("m0",)), ("b", ("m1",))]


def test_a_node_that_is_not_usable_loses_its_groups() -> None:
    nodes = [node("a", L4), node("b", L4)]
    before = plan(nodes, [wish("p", 9000)])
    after = plan([replace(nodes[0], usable=False), nodes[1]], [wish("p", 9000)], before.groups)
    assert places(after) == [("p", "b", 1)]


def test_several_models_share_a_gpu_if_ollama_loads_them_all_wholly() -> None:
    """The second one must be within 80 % of what the first leaves, 7,034 MiB."""
    (group,) = plan([node("a", L4)], [wish("p", 5627, 16_000)]).groups
    assert (group.models, group.loaded) == (("m0", "m1"), ("m1", "m0"))
    assert group.required_mib == 21_627
    assert len(plan([node("a", L4, 2)], [wish("p", 5628, 16_000)]).groups) == 2


def test_models_that_cannot_be_together_are_divided() -> None:
    found = plan([node("a", L4, 2), node("b", L4, 2)], [wish("p", 12_000, 9000, 9000, replicas=2)])
    assert sorted((g.models, g.replicas) for g in found.groups) == [
        (("m0",), 1),
        (("m0",), 1),
        (("m1", "m2"), 1),
        (("m1", "m2"), 1),
    ]
    assert len({(g.node, g.models) for g in found.groups}) == 4


def test_what_fits_is_served_though_another_model_fits_nowhere() -> None:
    found = plan([node("a", L4), node("b", L4)], [wish("p", 5000, 90_000, replicas=2)])
    assert [(g.models, g.node) for g in found.groups] == [(("m0",), "a"), (("m0",), "b")]
    (lot,) = found.unplaced
    assert (lot.models, lot.replicas, lot.reason) == (("m1",), 2, "InsufficientVRAM")


def test_on_demand_one_group_serves_all_and_the_most_asked_for_are_loaded() -> None:
    needs = (need("a", 12_000), need("b", 9000, 3.0), need("c", 9000, 2.0), need("d", 500))
    asked = Wish("team/p", needs, 1, GpuWish(), loading="OnDemand")
    (group,) = plan([node("a", L4)], [asked]).groups
    assert group.models == ("a", "b", "c", "d")
    assert group.loaded == ("b", "c", "d")
    slightly = replace(asked, needs=(need("a", 12_000, 5.0), *needs[1:]))
    assert plan([node("a", L4)], [slightly], [group]).groups == (group,)
    much = replace(asked, needs=(need("a", 12_000, 50.0), *needs[1:]))
    assert plan([node("a", L4)], [much], [group]).groups[0].loaded == ("a", "d")


def test_on_demand_on_cpu_what_is_loaded_stays_unless_another_is_asked_for_much_more() -> None:
    def asked(a: float, b: float) -> Wish:
        needs = (need("a", 4000, a), need("b", 9000, b))
        return Wish("team/p", needs, 1, loading="OnDemand")

    before = plan([], [asked(2.0, 1.0)]).groups
    assert before[0].loaded == ("a",)
    assert plan([], [asked(2.0, 2.5)], before).groups == before
    (after,) = plan([], [asked(2.0, 9.0)], before).groups
    assert after.loaded == ("b",)
    assert after.required_mib == before[0].required_mib == 9000


@pytest.mark.parametrize("gpu", [None, GpuWish()])
def test_on_demand_what_is_loaded_stays_under_the_name_of_a_former_list(
    gpu: GpuWish | None,
) -> None:
    needs = (need("a", 12_000, 2.0), need("b", 11_000, 1.0))
    asked, nodes = Wish("team/p", needs, 1, gpu, loading="OnDemand"), [node("a", L4)]
    (before,) = plan(nodes, [asked]).groups
    former = replace(before, name="former")
    needs = (need("a", 12_000, 2.0), need("b", 11_000, 2.5))
    (same,) = plan(nodes, [replace(asked, needs=needs)], [former]).groups
    assert (same.models, same.loaded) == (("a", "b"), ("a",))
    more = replace(asked, needs=(*needs, need("c", 11_500)))
    (after,) = plan(nodes, [more], [former]).groups
    assert (after.models, after.loaded) == (("a", "b", "c"), ("a",))


def test_one_model_lies_evenly_on_several_gpus() -> None:
    (group,) = plan([node("a", L4, 4)], [wish("p", 30_000, count=2)]).groups
    assert group.resources == {"nvidia.com/gpu": 2}
    assert [slot.gpu for slot in group.slots] == [0, 1]


def test_a_pool_is_as_good_as_its_worst_gpu() -> None:
    """Kubernetes gives a pod any of them."""
    mixed = replace(
        node("a", A100, 2), slots=(*node("a", A100, 1).slots, *node("a", RTX4070).slots)
    )
    assert reasons(plan([mixed], [wish("p", 40_000)])) == ["InsufficientVRAM"]
    only = replace(wish("p", 4000), gpu=GpuWish(products=(A100[0],)))
    assert reasons(plan([mixed], [only])) == ["NoSuchGpu"]
    assert places(plan([mixed], [wish("p", 4000, replicas=2)])) == [("p", "a", 2)]


def test_a_slice_is_as_large_as_needed_and_one_pod_has_one() -> None:
    nodes = [sliced("a", g1_10=2, g3_40=1)]
    (group,) = plan(nodes, [wish("p", 6000, sharing="MIG")]).groups
    assert group.resources == {"nvidia.com/mig-1g.10gb": 1}
    (group,) = plan(nodes, [wish("p", 20_000, sharing="MIG")]).groups
    assert group.resources == {"nvidia.com/mig-3g.40gb": 1}
    assert reasons(plan(nodes, [wish("p", 6000, sharing="MIG", count=2)])) == ["NoSuchGpu"]


def test_replicas_in_slices_of_two_kinds_on_one_node_are_two_groups() -> None:
    found = plan([sliced("a", g1_10=1, g3_40=1)], [wish("p", 6000, replicas=2, sharing="MIG")])
    assert len({group.name for group in found.groups}) == 2


def test_time_sliced_gpus_are_filled_so_that_any_assignment_holds() -> None:
    """All three could be given one GPU, of which 22,010 MiB may be used."""
    nodes = [shared("a", L4, gpus=2, slots=4)]
    asked = wish("p", 7000, replicas=8, sharing="TimeSliced")
    assert places(plan(nodes, [asked])) == [("p", "a", 3)]
    pair = [shared("a", L4, gpus=2, slots=2)]
    assert places(plan(pair, [asked])) == [("p", "a", 4)]


def test_shared_gpus_are_only_for_those_who_ask_for_them() -> None:
    assert reasons(plan([shared("a", L4, 1, 4)], [wish("p", 2000)])) == ["NoSuchGpu"]
    found = plan([node("a", L4)], [wish("p", 2000, sharing="TimeSliced")])
    assert reasons(found) == ["NoSuchGpu"]


@pytest.mark.parametrize(
    ("tolerations", "placed"),
    [
        ((), False),
        ((Toleration("team", "Equal", "a"),), True),
        ((Toleration("team", "Equal", "b"),), False),
        ((Toleration("team", "Exists"),), True),
        ((Toleration(None, "Exists"),), True),
        ((Toleration("team", "Exists", effect="NoExecute"),), False),
    ],
)
def test_taints_keep_away_who_does_not_bear_them(
    tolerations: tuple[Toleration, ...], placed: bool
) -> None:
    tainted = replace(node("a", L4), taints=(Taint("nvidia.com/gpu"), Taint("team", "a")))
    found = plan([tainted], [replace(wish("p", 2000), tolerations=tolerations)])
    assert reasons(found) == ([] if placed else ["NotTolerated"])


def test_without_gpu_it_runs_wherever_the_scheduler_likes() -> None:
    (group,) = plan([], [replace(wish("p", 2000, 3000, replicas=3), gpu=None)]).groups
    assert (group.node, group.replicas, group.resources) == (None, 3, {})
    assert group.models == ("m0", "m1")


def test_replicas_that_find_no_gpu_may_run_on_cpu() -> None:
    asked = replace(wish("p", 9000, replicas=3), gpu=GpuWish(cpu_fallback=True))
    found = plan([node("a", L4, 2)], [asked])
    assert sorted(places(found), key=str) == [("p", "a", 2), ("p", None, 1)]
    assert not found.unplaced
    assert "no GPU has room for 1 of 3 replicas" in found.groups[0].why


def test_none_wished_is_none_placed() -> None:
    assert plan([node("a", L4)], [wish("p", 2000, replicas=0)]) == Plan()


def test_scaling_down_takes_from_the_largest_gpus_first() -> None:
    nodes = [node("a", A100), node("b", L4)]
    before = plan(nodes, [wish("p", 2000, replicas=2)])
    after = plan(nodes, [wish("p", 2000)], before.groups)
    assert places(after) == [("p", "b", 1)]


def test_foreign_memory_and_headroom_are_left_alone() -> None:
    used = replace(node("a", L4), slots=(Slot("nvidia.com/gpu", 0, *L4[::-1], foreign_mib=10_000),))
    assert reasons(plan([used], [wish("p", 12_011)])) == ["InsufficientVRAM"]
    assert not plan([used], [wish("p", 10_427)]).unplaced


def test_names_are_dns_labels_of_52_characters_at_most() -> None:
    found = plan([node("a", L4)], [wish("long." * 20, 2000)])
    (group,) = found.groups
    assert len(group.name) <= 52
    assert group.name.replace("-", "").isalnum()
