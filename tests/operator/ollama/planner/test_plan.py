"""What is placed where, by plain cases."""

from penstock_operator.ollama.planner.plan import plan
from penstock_operator.ollama.planner.types import Plan
from tests.operator.ollama.planner.cluster import A100, L4, node, wish


def places(found: Plan) -> list[tuple[str, str | None, int]]:
    return [(g.provider.removeprefix("team/"), g.node, g.replicas) for g in found.groups]


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
