"""Two days of requests with a structure that was fixed before anything was tuned.

The first day fills the cache. On the second, 72 % repeat what was asked before, word for word or
spelled otherwise; 24 % ask in other words what was asked before; 4 % ask what nobody asked. It is
a trace of how often a cache *could* hit and says nothing on how often people repeat themselves.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Final, Literal

from tests.eval.cache.natural import OUT_OF_SCOPE, SETS, Query
from tests.eval.cache.variants import respelled

Kind = Literal["exact", "spelling", "paraphrase", "novel"]

SHARES: Final[Mapping[Kind, float]] = {
    "exact": 0.50,
    "spelling": 0.22,
    "paraphrase": 0.24,
    "novel": 0.04,
}
WHOLE_REQUESTS: Final = 8000
EXCERPT_REQUESTS: Final = 400
FIRST_DAY_SHARE: Final = 0.75
"""Of the second day's requests."""
LEAST_CONTENT_WORDS: Final = 2
LEAST_SHARED: Final = 0.6
"""Of all the words of two that are paraphrases; their content words are the same, bar endings."""
EMPTY_WORDS: Final = frozenset({
     "a", "an", "the", "i", "me", "is", "are", "was", "be", "been", "am", "do", "does", "did",
     "can", "could", "would", "will", "should", "please", "how", "what", "where", "when", "to",
     "of", "for", "in", "on", "at", "with", "it", "that", "this", "there", "have", "has", "had",
     "and", "or", "so", "if", "get", "got", "need", "want", "help", "tell", "know", "you", "hi",
     "hello", "just",
})  # fmt: skip
"""Which words two paraphrases may differ in. Not `my`, `not`, `from`: they tell questions apart."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the trace."""

    kind: Kind
    query: Query
    text: str
    spelling: str = ""

    @property
    def line(self) -> str:
        """What the hash is taken over."""
        return "\t".join((self.kind, self.spelling, self.query.intent, self.text))


@dataclass(frozen=True, slots=True)
class Trace:
    """What fills the cache, and what is measured."""

    first_day: tuple[Query, ...]
    second_day: tuple[Asked, ...]


def trace(queries: Sequence[Query], requests: int) -> Trace:
    """`requests` on the second day."""
    random = Random("trace 1")
    order = random.sample(queries, len(queries))
    count = round(requests * SHARES["paraphrase"])
    chosen = _chosen(_paraphrases(order), count, random)
    first_day = _first_day(order, chosen, round(requests * FIRST_DAY_SHARE))
    novel = [query for query in order if query.intent == OUT_OF_SCOPE]
    kinds = [kind for kind, share in SHARES.items() for _ in range(round(requests * share))]
    random.shuffle(kinds)
    return Trace(first_day, tuple(_second_day(kinds, first_day, list(chosen), novel, random)))


def _paraphrases(order: Sequence[Query]) -> dict[Query, Query]:
    """Those that ask in other words what one before them asked, with that one."""
    before: defaultdict[object, list[Query]] = defaultdict(list)
    found: dict[Query, Query] = {}
    for query in order:
        content = _content(query)
        key = (query.source, query.intent, content)
        near = (other for other in before[key] if _shared(query, other) >= LEAST_SHARED)
        base = next(near, None)
        if base and len(content) >= LEAST_CONTENT_WORDS and query.intent != OUT_OF_SCOPE:
            found[query] = base
        before[key].append(query)
    return found


def _chosen(found: Mapping[Query, Query], count: int, random: Random) -> dict[Query, Query]:
    """As many of each set, in the order in which they will be asked."""
    kept: set[Query] = set()
    for source in SETS:
        kept |= set(random.sample([q for q in found if q.source == source], count // len(SETS)))
    return {query: base for query, base in found.items() if query in kept}


def _first_day(
    order: Sequence[Query], chosen: Mapping[Query, Query], count: int
) -> tuple[Query, ...]:
    """What the paraphrases are of, unless they are of each other, and others."""
    bases = set(chosen.values()) - chosen.keys()
    rest = (
        query
        for query in order
        if query not in bases and query not in chosen and query.intent != OUT_OF_SCOPE
    )
    kept = bases | set(islice(rest, count - len(bases)))
    return tuple(query for query in order if query in kept)


def _second_day(
    kinds: Sequence[Kind],
    first_day: Sequence[Query],
    paraphrases: Sequence[Query],
    novel: Sequence[Query],
    random: Random,
) -> Iterator[Asked]:
    asked = list(first_day)
    fresh = {"paraphrase": iter(paraphrases), "novel": iter(novel)}
    for kind in kinds:
        if kind in fresh:
            query = next(fresh[kind])
            asked.append(query)
            yield Asked(kind, query, query.text)
            continue
        query = _popular(asked, random)
        spelling, text = respelled(query.text, random) if kind == "spelling" else ("", query.text)
        yield Asked(kind, query, text, spelling)


def _popular(asked: Sequence[Query], random: Random) -> Query:
    """Zipf's law: the n-th of them is asked for 1/n as often as the first."""
    return asked[int(len(asked) ** random.random()) - 1]


def _content(query: Query) -> frozenset[str]:
    return frozenset(_stem(word) for word in query.words if word not in EMPTY_WORDS)


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) >= len(ending) + 3:
            return word.removesuffix(ending)
    return word


def _shared(query: Query, other: Query) -> float:
    one, two = set(query.words), set(other.words)
    return len(one & two) / len(one | two)
