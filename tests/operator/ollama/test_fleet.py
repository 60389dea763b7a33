"""Replicas without a place, as pods that stay Pending."""

from penstock_operator.ollama.fleet import affinity_of, is_pending, pending_groups
from penstock_operator.ollama.planner.plan import plan
from penstock_operator.ollama.planner.types import GpuWish, Need, Node, Slot, Unplaced, Wish

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
BIG = Need("llama3.1:70b", weights_mib=40_000, kv_mib=1_000, overhead_mib=1_000)
L4 = Node("l4", (Slot("nvidia.com/gpu", 0, 23_034, "NVIDIA-L4"),))


def wish(**fields: object) -> Wish:
    said = {"provider": "llm/own", "needs": (BIG,), "replicas": 2, "gpu": GpuWish()}
    return Wish(**{**said, **fields})  # type: ignore[arg-type]  # as the test says


def unplaced(replicas: int = 2) -> Unplaced:
    return Unplaced("llm/own", (BIG.model,), replicas, "InsufficientVRAM", "needs more")


def test_what_the_planner_leaves_over_is_one_group_that_asks_for_what_it_lacks() -> None:
    found = plan([L4], [wish()])
    (pending,) = pending_groups(found.unplaced, [wish()], [L4])
    group = pending.group
    assert is_pending(group.name)
    assert len(group.name) <= 63
    assert (group.node, group.replicas, group.models) == (None, 2, (BIG.model,))
    assert (group.resources, group.required_mib) == ({"nvidia.com/gpu": 1}, 42_000)
    assert group.why == found.unplaced[0].message


def test_no_node_that_is_there_takes_it_and_one_with_enough_memory_would() -> None:
    (pending,) = pending_groups([unplaced()], [wish()], [L4])
    assert pending.floor_mib == 52_500  # Ollama loads what is within 80 % of what is free
    required = affinity_of(pending)["nodeAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]
    assert required == {
        "nodeSelectorTerms": [
            {
                "matchExpressions": [
                    {"key": "nvidia.com/gpu.memory", "operator": "Gt", "values": ["52499"]},
                    {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": ["l4"]},
                ]
            }
        ]
    }
    (anywhere,) = pending_groups([unplaced()], [wish()], [])
    (terms,) = affinity_of(anywhere)["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    assert len(terms["matchExpressions"]) == 1


def test_over_several_gpus_each_needs_its_share() -> None:
    (pending,) = pending_groups([unplaced()], [wish(gpu=GpuWish(count=2))], [])
    assert pending.group.resources == {"nvidia.com/gpu": 2}
    assert 26_000 < pending.floor_mib < 28_000


def test_a_least_memory_that_is_asked_for_holds() -> None:
    asked = wish(gpu=GpuWish(min_memory_mib=100_000))
    assert pending_groups([unplaced()], [asked], [])[0].floor_mib == 100_000


def test_of_mig_the_smallest_profile_that_would_do_is_asked_for() -> None:
    small = Need("m", weights_mib=3_000, kv_mib=0, overhead_mib=0)
    asked = wish(needs=(small,), gpu=GpuWish(sharing="MIG", headroom_mib=0))
    slots = tuple(
        Slot(f"nvidia.com/mig-{name}", 0, memory, "NVIDIA-A100", "MIG")
        for name, memory in (("1g.5gb", 4_864), ("3g.20gb", 19_968), ("2g.10gb", 9_856))
    )
    lot = Unplaced("llm/own", ("m",), 1, "NoGpuFree", "all taken")
    (pending,) = pending_groups([lot], [asked], [Node("mig", slots)])
    assert pending.group.resources == {"nvidia.com/mig-1g.5gb": 1}
    (larger,) = pending_groups([unplaced()], [wish(gpu=GpuWish(sharing="MIG"))], [Node("n", slots)])
    assert larger.group.resources == {"nvidia.com/mig-3g.20gb": 1}
    (none,) = pending_groups([unplaced()], [wish(gpu=GpuWish(sharing="TimeSliced"))], [])
    assert none.group.resources == {"nvidia.com/gpu.shared": 1}


def test_on_cpu_and_of_nobody_there_is_none() -> None:
    assert pending_groups([unplaced()], [wish(gpu=None)], []) == ()
    assert pending_groups([unplaced()], [], []) == ()
    assert pending_groups([unplaced(0)], [wish()], []) == ()


def test_names_are_the_same_for_the_same_and_differ_otherwise() -> None:
    first = pending_groups([unplaced()], [wish()], [L4])[0].group.name
    assert first == pending_groups([unplaced(1)], [wish()], [])[0].group.name
    other = Unplaced("apps/own", (BIG.model,), 1, "NoGpuFree", "")
    elsewhere = pending_groups([other], [wish(provider="apps/own")], [])[0].group.name
    assert first != elsewhere
    long = f"llm/{'a' * 253}"
    named = Unplaced(long, (BIG.model,), 1, "NoGpuFree", "")
    assert len(pending_groups([named], [wish(provider=long)], [])[0].group.name) <= 63
