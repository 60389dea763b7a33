"""Which policy rules which pods, and which policies lose pods to better ones."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from penstock_config.policy import Policy, Selector
from penstock_operator.compile.labels import keys_of, selects
from penstock_operator.compile.snapshot import PodLabels


@dataclass(frozen=True, slots=True)
class Rulings:
    """Pods ruled, by policy; and for each loser of some pod, the winners, best first."""

    pods: Mapping[str, int]
    winners: Mapping[str, tuple[str, ...]]


def rule_pods(policies: Sequence[Policy], pods: Iterable[PodLabels]) -> Rulings:
    """`policies` are those of one namespace, best first; `pods` its pods."""
    ruled: Counter[str] = Counter()
    winners: dict[str, set[str]] = {}
    for labels, count in _alike(policies, pods).items():
        claims = [policy.id for policy in policies if selects(policy.selector, dict(labels))]
        if claims:
            ruled[claims[0]] += count
        for loser in claims[1:]:
            winners.setdefault(loser, set()).add(claims[0])
    rank = {policy.id: place for place, policy in enumerate(policies)}
    return Rulings(
        pods=ruled,
        winners={loser: tuple(sorted(ids, key=rank.__getitem__)) for loser, ids in winners.items()},
    )


def never_ruling(policies: Sequence[Policy]) -> Iterator[tuple[Policy, Policy]]:
    """Each policy that no pod can ever have, with one before it that takes them all.

    Looked up by one of a selector's lines, so that thousands of policies cost no square of that.
    """
    before: dict[object, list[tuple[Policy, frozenset[object]]]] = {}
    for policy in policies:
        lines = _lines(policy.selector)
        alike = (claim for line in (*lines, None) for claim in before.get(line, ()))
        wider = (better for better, own in alike if own <= lines)
        if (better := next(wider, None)) is not None:
            yield policy, better
        before.setdefault(next(iter(lines), None), []).append((policy, lines))


def _lines(selector: Selector) -> frozenset[object]:
    """What a pod must be, each by itself: a selector with fewer of the same selects more."""
    return frozenset((*selector.match_labels.items(), *selector.match_expressions))


def power_of_two(count: int) -> int:
    """The smallest power of two that is not below `count`, at least 1: it seldom changes."""
    return 1 << max(count - 1, 0).bit_length()


def _alike(
    policies: Sequence[Policy], pods: Iterable[PodLabels]
) -> Counter[frozenset[tuple[str, str]]]:
    """How many pods look alike to the selectors: thousands of pods are few kinds of them."""
    keys = {key for policy in policies for key in keys_of(policy.selector)}
    return Counter(
        frozenset((key, value) for key, value in pod.labels.items() if key in keys) for pod in pods
    )
