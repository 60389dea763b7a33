"""Which of several answers is given, and how much the others agree with it. Pure.

No result depends on the order of the ballots: ties go to the better model, then to the cheaper one,
then by name.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from penstock_sidecar.ensemble.similarity import Matrix, support
from penstock_sidecar.model import Candidate


@dataclass(frozen=True, slots=True, repr=False)
class Ballot:
    """One model's answer. `says` is its essence: equal for answers that count as the same."""

    candidate: Candidate
    text: str
    says: str

    @property
    def rank(self) -> tuple[float, float, str]:
        """Lower is better. What nobody has judged comes last, as does what has no price."""
        model = self.candidate.model
        quality = -1 if model.quality is None else model.quality
        price = model.price
        cost = math.inf if price is None else price.input_token + price.output_token
        return -quality, cost, self.candidate.label


@dataclass(frozen=True, slots=True)
class Decision:
    """`chosen` counts ballots from 0. `agreement` and each ballot's `confidences` are from 0 to 1;
    an answer that is alone agrees with nobody: 0."""

    chosen: int
    agreement: float
    confidences: tuple[float, ...]


def majority(ballots: Sequence[Ballot]) -> Decision:
    """The best model's answer of those that most gave; there is at least one."""
    votes = Counter(each.says for each in ballots)
    best = min(ballots, key=lambda each: (-votes[each.says], *each.rank))
    alone = len(ballots) == 1
    shares = tuple(0.0 if alone else votes[each.says] / len(ballots) for each in ballots)
    chosen = ballots.index(best)
    return Decision(chosen, shares[chosen], shares)


def decided(ballots: Sequence[Ballot], outstanding: int) -> bool:
    """Whatever the others say, the same answer has the most votes."""
    votes = [count for _, count in Counter(each.says for each in ballots).most_common(2)]
    first, second = (*votes, 0, 0)[:2]
    return first > second + outstanding


def nearest(ballots: Sequence[Ballot], near: Matrix) -> Decision:
    """The answer that is nearest to all others."""
    means = support(near)

    def place(index: int) -> tuple[float, float, float, str]:
        return (-round(means[index], 9), *ballots[index].rank)

    return chosen_by(near, min(range(len(ballots)), key=place))


def chosen_by(near: Matrix, chosen: int) -> Decision:
    """Somebody else has chosen; the figures are those of `nearest`."""
    means = support(near)
    return Decision(chosen, means[chosen], means)
