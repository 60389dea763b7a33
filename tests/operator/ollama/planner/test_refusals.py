"""What is said of that which found no place."""

from dataclasses import replace

from penstock_operator.ollama.planner.plan import plan
from penstock_operator.ollama.planner.types import GpuWish, Need, Node, Slot, Taint, Unplaced, Wish
from tests.operator.ollama.planner.cluster import A100, L4, node, wish


def refusal(nodes: list[Node], *wishes: Wish) -> Unplaced:
    (lot,) = plan(nodes, wishes).unplaced
    return lot


def test_too_large_a_model_says_what_would_hold_it() -> None:
    lot = refusal([node("gpu-a", L4, 4)], wish("p", 43_210))
    assert lot.reason == "InsufficientVRAM"
    assert lot.message == (
        "m0 needs 43,210 MiB on one GPU (54,013 MiB with 80 % of what is free, or 1,024 MiB"
        " headroom); the largest is 23,034 MiB of NVIDIA-L4 on gpu-a: add a GPU of at least 53 GiB,"
        " set gpu.count: 3, a smaller quantisation, or allow gpu.cpuFallback"
    )


def test_a_large_cache_suggests_a_shorter_context() -> None:
    asked = Wish("team/p", (Need("m", 10_000, 30_000, 0),), 1, GpuWish())
    assert "a shorter contextLength or less parallel" in refusal([node("a", L4)], asked).message


def test_memory_that_nobody_knows_is_said_to_be_unknown() -> None:
    unknown = Node("gpu-x", (Slot("nvidia.com/gpu", 0, 0, "NVIDIA-New"),))
    message = refusal([unknown], wish("p", 2000)).message
    assert "how much memory the GPUs of gpu-x have is not known" in message


def test_full_gpus_say_who_has_them() -> None:
    first = wish("first", 9000, priority=3)
    lot = refusal([node("a", L4)], first, wish("second", 9000))
    assert lot.reason == "NoGpuFree"
    assert "1 that would do are taken by team/first (1, priority 3)" in lot.message
    assert "0 of 1 NVIDIA-L4 on a" in lot.message


def test_a_product_that_is_not_there_is_answered_with_those_that_are() -> None:
    asked = replace(wish("p", 9000), gpu=GpuWish(products=("NVIDIA-H100",)))
    lot = refusal([node("a", L4), node("b", L4), node("c", A100, 8)], asked)
    assert lot.reason == "NoSuchGpu"
    assert "asks for a GPU (NVIDIA-H100) on one node, Exclusive" in lot.message
    assert "1 x 8 NVIDIA-A100-SXM4-80GB" in lot.message
    assert "2 x 1 NVIDIA-L4" in lot.message


def test_taints_that_are_not_borne_are_named_with_their_nodes() -> None:
    lot = refusal([replace(node("a", L4), taints=(Taint("team", "x"),))], wish("p", 9000))
    assert lot.reason == "NotTolerated"
    assert "team=x:NoSchedule (a)" in lot.message


def test_without_a_node_that_will_do_it_says_why() -> None:
    assert refusal([], wish("p", 9000)).message.startswith("no node of the cluster has GPUs")
    down = refusal([replace(node("a", L4), usable=False)], wish("p", 9000))
    assert (down.reason, "a must be so again" in down.message) == ("NoNode", True)
    picky = replace(wish("p", 9000), node_selector={"disk": "fast"})
    other = refusal([node("a", L4)], picky)
    assert (other.reason, "disk=fast" in other.message) == ("NoNode", True)


def test_every_group_says_why_it_is_there_with_numbers() -> None:
    (group,) = plan([node("gpu-a", L4), node("gpu-b", A100)], [wish("p", 9000)]).groups
    assert group.why == (
        "m0 needs 9,000 MiB on one GPU; NVIDIA-L4 on gpu-a has 23,034 MiB, 1,024 MiB of it"
        " headroom, and Ollama loads what is within 80 % of what is free:"
        " the smallest GPU that suffices"
    )
