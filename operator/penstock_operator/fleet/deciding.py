"""From what is wanted and what is there to placement groups; and which Deployments may go."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.fleet.observed import Told
from penstock_operator.ollama.fleet import Pending, is_pending, pending_groups
from penstock_operator.ollama.planner.plan import plan
from penstock_operator.ollama.planner.types import Group, Need, Node, Unplaced, Wish
from penstock_operator.ollama.wishes import Wished, wished
from penstock_operator.ollama.workload.changes import Standing, continued, removable
from penstock_operator.ollama.workload.names import unusable_name

BLOCKED: Final = timedelta(seconds=10)
"""So long a pod waits for a GPU before what is no longer planned there goes, ready or not."""
Groups = Mapping[str, Group]
"""By name, as they are there now."""


@dataclass(frozen=True, slots=True)
class Case:
    """A managed provider, and how much of it is wanted."""

    provider: LLMProvider
    replicas: int
    priority: int = 0
    demand: Mapping[str, float] = field(default_factory=dict)
    there: Groups = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decided:
    """What a provider is to have."""

    groups: tuple[Group, ...] = ()
    """Those without a place, and those without a replica, too; sorted."""
    pending: Mapping[str, Pending] = field(default_factory=dict)
    """Of these groups, the ones without a place."""
    unplaced: tuple[Unplaced, ...] = ()
    needs: Mapping[str, Need] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Share:
    """What the plan says of one provider."""

    groups: Sequence[Group]
    unplaced: Sequence[Unplaced]
    pending: Sequence[Pending]


def decide(cases: Sequence[Case], nodes: Sequence[Node] | None) -> dict[str, Decided]:
    """By provider's id. `nodes` of `None`: they cannot be seen; then what is on GPUs stays as it
    is."""
    names = frozenset(node.name for node in nodes or ())
    wishes = {case.provider.id: _wished(case) for case in cases}
    seen = {case.provider.id: case for case in cases}
    asked = [w.wish for id_, w in wishes.items() if w.wish and _is_planned(seen[id_], nodes)]
    current = [group for wish in asked for group in _current(seen[wish.provider])]
    planned = plan(nodes or (), asked, current)
    pending = pending_groups(planned.unplaced, asked, nodes or ())
    return {
        id_: _decided(
            case,
            wishes[id_],
            _Share(
                [group for group in planned.groups if group.provider == id_],
                [each for each in planned.unplaced if each.provider == id_],
                [each for each in pending if each.group.provider == id_],
            ),
            names,
            kept=not any(wish.provider == id_ for wish in asked),
        )
        for id_, case in seen.items()
    }


def standings(
    groups: Sequence[Group],
    there: Groups,
    pods: Sequence[Told],
    dead: frozenset[str] = frozenset(),
    lost: frozenset[str] = frozenset(),
) -> tuple[Standing, ...]:
    """Deployments of one provider that are there, or are to be. Pods on `dead` nodes serve nobody,
    whatever the API server still says of them; `lost`: nodes that are dead, or were just now."""
    planned = {group.name: group.replicas for group in groups}
    both = {group.name: group for group in groups} | dict(there)
    ready: dict[str, int] = {}
    for told in pods:
        if told.pod.ready and told.pod.node not in dead:
            ready[told.pod.group] = ready.get(told.pod.group, 0) + 1
    waiting = {t.pod.group for t in pods if t.pod.unschedulable and not t.pod.leaving}
    return tuple(
        Standing(
            name,
            planned=planned.get(name, 0),
            ready=ready.get(name, 0),
            models=frozenset(group.models),
            waits=name in waiting,
            lost=group.node in lost,
        )
        for name, group in sorted(both.items())
    )


def leaving(
    groups: Sequence[Group],
    there: Groups,
    standing: Iterable[Standing],
    *,
    wanted: int,
    blocked: frozenset[str] = frozenset(),
) -> tuple[str, ...]:
    """Deployments of one provider that are to be deleted now, sorted. `standing`: as `standings`
    has them; `blocked`: nodes on which planned pods wait for a GPU, of whichever provider."""
    kept = {group.name for group in groups}
    going = {name for name in there if name not in kept}
    at_once = {n for n in going if is_pending(n) or there[n].node in blocked}
    if wanted == 0:
        return tuple(sorted(going))  # those that have no replica stay, with their volumes
    may_go = removable(standing, wanted=wanted)
    return tuple(sorted(going & {*may_go, *at_once}))


def blocked_nodes(planned: Iterable[Group], pods: Iterable[Told], now: datetime) -> frozenset[str]:
    """Where planned pods have waited for a GPU for some time."""
    nodes = {group.name: group.node for group in planned if group.node is not None}
    return frozenset(
        nodes[told.pod.group]
        for told in pods
        if told.pod.group in nodes
        and not told.pod.leaving
        and told.pod.unschedulable_since is not None
        and now - told.pod.unschedulable_since >= BLOCKED
    )


def _wished(case: Case) -> Wished:
    return wished(case.provider, case.replicas, case.priority, case.demand)


def _is_planned(case: Case, nodes: Sequence[Node] | None) -> bool:
    """Who can run nothing under his name takes no GPU from others."""
    ollama = case.provider.spec.ollama
    on_cpu = ollama is not None and ollama.gpu is None
    can_run = unusable_name(case.provider) is None
    return case.replicas > 0 and can_run and (on_cpu or nodes is not None)


def _placed(there: Groups) -> list[Group]:
    return [group for name, group in sorted(there.items()) if group.models and not is_pending(name)]


def _current(case: Case) -> list[Group]:
    """What sleeps and has no volume is nowhere."""
    keeps = case.provider.spec.ollama is not None and case.provider.spec.ollama.storage is not None
    return [group for group in _placed(case.there) if group.replicas or keeps]


def _sleeping(there: Groups, needs: Mapping[str, Need]) -> list[Group]:
    """All that is there, without a replica, for what is still wanted of its models. Where no model
    is known, all stays as it was."""
    if not needs:
        return [replace(group, replicas=0) for group in _placed(there)]
    found = [
        replace(
            group,
            replicas=0,
            models=tuple(model for model in group.models if model in needs),
            loaded=tuple(model for model in group.loaded if model in needs),
        )
        for group in _placed(there)
    ]
    return [group for group in found if group.models]


def _asleep(
    case: Case, planned: Sequence[Group], needs: Mapping[str, Need], nodes: Collection[str]
) -> list[Group]:
    """Groups beside the plan that have no replica, and a volume on a node that is there: as many
    as scaling up may wake."""
    ollama = case.provider.spec.ollama
    if ollama is None or ollama.storage is None or ollama.autoscaling is None:
        return []
    names = {group.name for group in planned}
    found = [
        group
        for group in _placed(case.there)
        if not group.replicas
        and group.node in nodes
        and group.name not in names
        and needs.keys() >= {*group.models}
    ]
    awake = sum(group.replicas for group in planned)
    return found[: max(0, ollama.autoscaling.max - awake)]


def _decided(
    case: Case, asked: Wished, share: _Share, nodes: Collection[str], *, kept: bool
) -> Decided:
    needs = _needs(asked.wish)
    if kept and case.replicas == 0:
        found: Sequence[Group] = _sleeping(case.there, needs)
    elif kept:
        found = _placed(case.there)
    else:
        planned = continued(share.groups, case.there)
        asleep = _asleep(case, planned, needs, nodes)
        found = [*planned, *asleep, *(each.group for each in share.pending)]
    return Decided(
        groups=tuple(sorted(found, key=lambda group: group.name)),
        pending={each.group.name: each for each in share.pending},
        unplaced=tuple(share.unplaced),
        needs=needs,
        unknown=asked.unknown,
    )


def _needs(wish: Wish | None) -> dict[str, Need]:
    return {need.model: need for need in wish.needs} if wish else {}
