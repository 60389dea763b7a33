"""Decides which models run on which node's GPUs. Pure: equal input gives an equal plan."""

from collections.abc import Sequence

from penstock_operator.ollama.planner.decision import decide
from penstock_operator.ollama.planner.groups import OnCpu, cpu_groups, gpu_groups
from penstock_operator.ollama.planner.problem import problem_of
from penstock_operator.ollama.planner.refusals import lots_of, refusal_of
from penstock_operator.ollama.planner.types import Group, Node, Plan, Unplaced, Wish


def plan(nodes: Sequence[Node], wishes: Sequence[Wish], current: Sequence[Group] = ()) -> Plan:
    """Places every wish's first replica by priority, then the second ones, and so on.

    What is in `current` and still fits stays where it is, unless something that is wished could
    not be placed otherwise. What has no replica in it is come back to where there is room. One wish
    for each provider, one node for each name.
    """
    problem = problem_of(nodes, wishes)
    placement = decide(problem, current)
    on_cpu, unplaced = list[OnCpu](), list[Unplaced]()
    for index, asked in enumerate(problem.asked):
        for lot in lots_of(placement, index):
            if asked.gpu.cpu_fallback:
                on_cpu.append(OnCpu(asked.wish, lot.models, lot.replicas))
            else:
                unplaced.append(refusal_of(placement, index, lot, nodes))
    on_cpu += map(_without_gpu, filter(_is_for_cpu, wishes))
    groups = [*gpu_groups(placement, current), *cpu_groups(on_cpu, current)]
    return Plan(
        tuple(sorted(groups, key=lambda group: (group.provider, group.node or "", group.name))),
        tuple(sorted(unplaced, key=lambda lot: (lot.provider, lot.models, lot.replicas))),
    )


def _is_for_cpu(wish: Wish) -> bool:
    return wish.gpu is None and wish.replicas > 0 and bool(wish.needs)


def _without_gpu(wish: Wish) -> OnCpu:
    return OnCpu(wish, tuple(sorted(need.model for need in wish.needs)), wish.replicas)
