"""From replies to figures: how often the cache hits, and how often it should not have."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.eval.cache.levels import Name, Refuses
from tests.eval.cache.natural import Query
from tests.eval.cache.pairs import Pair
from tests.eval.cache.proportions import Share
from tests.eval.cache.replay import LEVELS, Level, Reply

MOST_FALSE: Final = 0.01
"""Of minimal pairs, at the upper end of the interval."""
LEAST_PAIRS: Final = 600
MOST_LOST: Final = 0.10
"""Of natural hits, to the guard."""
LEAST_HITS: Final = 0.85
"""Of the trace, at all levels."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of what is asked of the cache."""

    name: str
    met: bool
    found: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair, how near its two are, and which level would give one the other's answer, if any."""

    pair: Pair
    similarity: float
    level: Level


def judged(
    pair: Pair, similarity: float, names: tuple[Name, Name], least: float, refuses: Refuses
) -> Judged:
    """Asked either way round: the guard may not depend on who came first."""
    if names[0].shared == names[1].shared:
        exact = names[0].exact == names[1].exact
        return Judged(pair, similarity, "hit-exact" if exact else "hit-normalised")
    one, other = pair.first, pair.second
    false = similarity >= least and not (refuses(one, other) and refuses(other, one))
    return Judged(pair, similarity, "hit-semantic" if false else "miss")


def false_hits(pairs: Sequence[Judged]) -> Share:
    """Of all pairs, near or not."""
    return Share(sum(each.level != "miss" for each in pairs), len(pairs))


def by_class(pairs: Sequence[Judged]) -> Mapping[str, Sequence[Judged]]:
    """The pairs of each class, in alphabetical order."""
    found: defaultdict[str, list[Judged]] = defaultdict(list)
    for each in pairs:
        found[each.pair.kind].append(each)
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Hits:
    """Of a stream of labelled questions."""

    levels: Mapping[Level, int]
    requests: int
    other_intent: Mapping[Level, int]
    """Hits that give the answer to a question of another label: errors, and errors of labels."""

    @property
    def rate(self) -> Share:
        return Share(sum(self.levels.values()), self.requests)

    def of(self, level: Level) -> Share:
        """Of the requests, those that this level answers."""
        return Share(self.levels[level], self.requests)

    def wrong(self, level: Level) -> Share:
        """Of this level's hits, those across labels."""
        return Share(self.other_intent[level], self.levels[level])


def hits(asked: Sequence[Query], replies: Sequence[Reply], places: Iterable[int]) -> Hits:
    """Of the requests at these places of the stream."""
    levels: Counter[Level] = Counter()
    other: Counter[Level] = Counter()
    for place in places:
        reply = replies[place]
        levels[reply.level] += 1
        other[reply.level] += asked[reply.place].intent != asked[place].intent
    return Hits(
        {level: levels[level] for level in LEVELS},
        levels.total(),
        {level: other[level] for level in LEVELS},
    )


def lost(guarded: Hits, unguarded: Hits) -> Share:
    """Of what hits without the guard, what does not with it."""
    without = sum(unguarded.levels.values())
    return Share(max(0, without - sum(guarded.levels.values())), without)
