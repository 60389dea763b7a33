"""Puts what is frozen through the sidecar's code and the embedder's: all that the report tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from penstock_sidecar.cache.semantic.level import MOST_MATCHES
from tests.eval.cache.levels import Names, Refuses, guarded
from tests.eval.cache.natural import OUT_OF_SCOPE, SETS, Query, excerpt, whole
from tests.eval.cache.nearness import PYTHON, REMEMBERED, Inquiry, Near, Nearness, asked, in_stream
from tests.eval.cache.pairs import Pair, pairs
from tests.eval.cache.replay import Reply, Shelf, Stream, replayed
from tests.eval.cache.scoring import Hits, Judged, hits, judged
from tests.eval.cache.trace import EXCERPT_REQUESTS, SHARES, WHOLE_REQUESTS, Trace, trace

TRACE: Final = "trace"


@dataclass(frozen=True, slots=True)
class Material:
    """What is asked. `complete` says whether the whole labelled sets were there."""

    pairs: Sequence[Pair]
    natural: Mapping[str, Sequence[Query]]
    trace: Trace
    complete: bool


def material(folder: Path) -> Material:
    """The whole labelled sets from `folder`, or the excerpt where they are not."""
    try:
        queries, requests, complete = whole(folder), WHOLE_REQUESTS, True
    except OSError:
        queries, requests, complete = excerpt(), EXCERPT_REQUESTS, False
    labelled = {
        source: [q for q in queries if q.source == source and q.intent != OUT_OF_SCOPE]
        for source in SETS
    }
    return Material(pairs(), labelled, trace(queries, requests), complete)


class Measurements:
    """`remembered` keeps what the embedder said from one time to the next."""

    def __init__(self, of: Material, python: Path = PYTHON, remembered: Path = REMEMBERED) -> None:
        self.of = of
        self._names = cache(Names().of)
        self._streams = {
            **{name: [query.text for query in queries] for name, queries in of.natural.items()},
            TRACE: [
                *(query.text for query in of.trace.first_day),
                *(request.text for request in of.trace.second_day),
            ],
        }
        self.nearness: Nearness = asked(
            Inquiry(
                pairs=[(pair.first, pair.second) for pair in of.pairs],
                streams={name: list(dict.fromkeys(texts)) for name, texts in self._streams.items()},
            ),
            python,
            remembered,
        )

    def pairs(self, least: float, refuses: Refuses = guarded) -> list[Judged]:
        """Every pair, at a threshold."""
        return [
            judged(pair, near, (self._names(pair.first), self._names(pair.second)), least, refuses)
            for pair, near in zip(self.of.pairs, self.nearness.pairs, strict=True)
        ]

    def natural(self, source: str, least: float, refuses: Refuses = guarded) -> Hits:
        """One labelled set as a stream, each question against all before it."""
        queries = self.of.natural[source]
        replies = self._replies(source, least, refuses, keeps_all=True)
        return hits(queries, replies, range(len(queries)))

    def second_day(self, least: float, refuses: Refuses = guarded) -> Mapping[str, Hits]:
        """Of the trace: of all its requests, and of those of each kind."""
        first, second = self.of.trace.first_day, self.of.trace.second_day
        queries = [*first, *(request.query for request in second)]
        replies = self._replies(TRACE, least, refuses)
        places: dict[str, list[int]] = {"all": [], **{kind: [] for kind in SHARES}}
        for place, request in enumerate(second, len(first)):
            places["all"].append(place)
            places[request.kind].append(place)
        return {kind: hits(queries, replies, where) for kind, where in places.items()}

    def _replies(
        self, name: str, least: float, refuses: Refuses, *, keeps_all: bool = False
    ) -> list[Reply]:
        texts = self._streams[name]
        near: list[Sequence[Near]] = in_stream(texts, self.nearness.streams[name])
        stream = Stream(texts, [self._names(text) for text in texts], near)
        return replayed(Shelf(stream, least, refuses, MOST_MATCHES, keeps_all))
