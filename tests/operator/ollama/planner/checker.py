"""Checks a plan by its own reckoning, from the definitions, with nothing of the planner's."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

from penstock_operator.ollama.planner.types import Group, Need, Node, Plan, Slot, Wish

OLLAMAS_SHARE = Fraction(80, 100)

Pod = tuple[Wish, tuple[str, ...]]
"""One replica of a group."""


def shares(pod: Pod) -> list[int]:
    """What each model takes of each GPU, largest first; on demand, the largest alone."""
    wish, models = pod
    assert wish.gpu is not None
    count = wish.gpu.count
    sizes = [_total(n, count) for n in wish.needs if n.model in models]
    each = sorted((-(-size // count) for size in sizes), reverse=True)
    return each if wish.loading == "Always" else each[:1]


def _total(need: Need, count: int) -> int:
    return need.weights_mib + need.kv_mib + need.overhead_mib * count


def loads(pod: Pod, free: int) -> bool:
    """Whether Ollama loads all of it wholly, where so much is free."""
    for share in shares(pod):
        if share > OLLAMAS_SHARE * free:
            return False
        free -= share
    return True


def holds(slot: Slot, pods: Sequence[Pod]) -> bool:
    """Whether these pods can run on that GPU together, whichever of them starts last."""
    clear = slot.memory_mib - slot.foreign_mib
    held = [sum(shares(pod)) for pod in pods]
    headroom = max((wish.gpu.headroom_mib for wish, _ in pods if wish.gpu), default=0)
    if sum(held) + headroom > clear:
        return False
    return all(loads(pod, clear - sum(held) + held[i]) for i, pod in enumerate(pods))


def fits(slots: Sequence[Slot], pods: Sequence[Pod]) -> bool:
    """Whether pods can run on slots of one node and resource, however Kubernetes deals them."""
    counts = [wish.gpu.count for wish, _ in pods if wish.gpu]
    if sum(counts) > len(slots):
        return False
    if slots[0].sharing != "TimeSliced":
        return all(holds(slot, [pod]) for slot in slots for pod in pods)
    return all(
        holds(slot, [pod for pod, dealt in zip(pods, deal, strict=True) if dealt == slot.gpu])
        for deal in _deals(slots, len(pods))
        for slot in slots
    )


def _deals(slots: Sequence[Slot], pods: int) -> Iterator[tuple[int, ...]]:
    """Every way in which so many pods get GPUs, one slot each."""
    have = Counter(slot.gpu for slot in slots)
    for deal in product(sorted(have), repeat=pods):
        if all(count <= have[gpu] for gpu, count in Counter(deal).items()):
            yield deal


def pools(node: Node) -> dict[str, list[Slot]]:
    """A node's slots by resource."""
    found: defaultdict[str, list[Slot]] = defaultdict(list)
    for slot in node.slots:
        found[slot.resource].append(slot)
    return dict(found)


def may_run(node: Node, slots: Sequence[Slot], wish: Wish) -> bool:
    """Whether the wish accepts the node and these slots, whatever room there is."""
    gpu = wish.gpu
    assert gpu is not None
    tolerated = {(t.key, t.effect) for t in wish.tolerations if t.operator == "Exists"}
    repelled = any(
        taint.effect != "PreferNoSchedule"
        and taint.key != "nvidia.com/gpu"
        and (taint.key, None) not in tolerated
        and (taint.key, taint.effect) not in tolerated
        for taint in node.taints
    )
    kinds = {slot.product for slot in slots}
    return (
        node.usable
        and not repelled
        and set(wish.node_selector.items()) <= set(node.labels.items())
        and all(slot.sharing == gpu.sharing for slot in slots)
        and all(slot.memory_mib >= gpu.min_memory_mib for slot in slots)
        and (not gpu.products or kinds <= set(gpu.products))
        and (gpu.count == 1 or (gpu.sharing == "Exclusive" and len(kinds) == 1))
    )


def assert_holds(plan: Plan, nodes: Sequence[Node], wishes: Sequence[Wish]) -> None:
    """Every pod has its place, no GPU is promised twice, nothing is over its memory."""
    by_node, by_provider = {n.name: n for n in nodes}, {w.provider: w for w in wishes}
    placed: defaultdict[tuple[str, str], list[Pod]] = defaultdict(list)
    assert len({group.name for group in plan.groups}) == len(plan.groups)
    for group in plan.groups:
        assert group.replicas > 0
        assert group.models
        if group.node is not None:
            wish = by_provider[group.provider]
            assert wish.gpu is not None
            ((resource, count),) = group.resources.items()
            assert count == wish.gpu.count
            assert len(group.slots) == count * group.replicas
            assert_loaded(group, wish, by_node[group.node])
            placed[group.node, resource] += [(wish, group.models)] * group.replicas
    for (name, resource), pods in placed.items():
        slots = pools(by_node[name])[resource]
        assert all(may_run(by_node[name], slots, wish) for wish, _ in pods)
        assert fits(slots, pods), (slots, pods)
    assert_counted(plan, wishes)
    for name, node in by_node.items():
        granted = Counter(s for g in plan.groups if g.node == name for s in g.slots)
        assert granted <= Counter(node.slots)


def assert_loaded(group: Group, wish: Wish, node: Node) -> None:
    """What is loaded from the beginning goes in together, in the order that is said."""
    sizes = {need.model: _total(need, wish.gpu.count if wish.gpu else 1) for need in wish.needs}
    assert set(group.loaded) <= set(group.models)
    assert group.loaded
    assert [sizes[m] for m in group.loaded] == sorted(
        (sizes[m] for m in group.loaded), reverse=True
    )
    if wish.loading == "Always":
        assert set(group.loaded) == set(group.models)
        assert group.required_mib == sum(sizes[model] for model in group.models)
    always = Wish(wish.provider, wish.needs, 1, wish.gpu)
    assert all(holds(slot, [(always, group.loaded)]) for slot in group.slots), node.name


def assert_counted(plan: Plan, wishes: Sequence[Wish]) -> None:
    """Each replica of each model is placed, or said not to be, once."""
    counted: Counter[tuple[str, str]] = Counter()
    for group in plan.groups:
        counted.update({(group.provider, model): group.replicas for model in group.models})
    for lot in plan.unplaced:
        assert lot.message
        counted.update({(lot.provider, model): lot.replicas for model in lot.models})
    for wish in wishes:
        for need in wish.needs:
            assert counted[wish.provider, need.model] == wish.replicas


def worth(plan: Plan, wishes: Sequence[Wish]) -> tuple[int, ...]:
    """By number of the replica, then priority: whole replicas, models of those that are not."""
    cover: Counter[tuple[str, str]] = Counter()
    for group in plan.groups:
        if group.node is not None:
            cover.update({(group.provider, model): group.replicas for model in group.models})
    levels = levels_of(wishes)
    value = dict.fromkeys(levels, (0, 0))
    for wish in wishes:
        for replica in range(1, wish.replicas + 1):
            served = sum(cover[wish.provider, need.model] >= replica for need in wish.needs)
            whole, models = value[replica, -wish.priority]
            gain = (1, 0) if served == len(wish.needs) else (0, served)
            value[replica, -wish.priority] = (whole + gain[0], models + gain[1])
    return tuple(number for level in levels for number in value[level])


def levels_of(wishes: Sequence[Wish]) -> list[tuple[int, int]]:
    return sorted({(r, -wish.priority) for wish in wishes for r in range(1, wish.replicas + 1)})
