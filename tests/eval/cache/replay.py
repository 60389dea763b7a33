"""Requests one after the other through a cache of three levels: what it would answer with what.

What a request finds is decided by the sidecar's names and guard and the embedder's similarities;
only the shelf between them is played here, without lifetimes: what was answered anew is kept. Where
it `keeps_all`, each request is compared with every one before it, as published replays do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from tests.eval.cache.levels import Name, Refuses
from tests.eval.cache.nearness import Near

Level = Literal["hit-exact", "hit-normalised", "hit-semantic", "miss"]
LEVELS: Final[tuple[Level, ...]] = ("hit-exact", "hit-normalised", "hit-semantic")


@dataclass(frozen=True, slots=True)
class Stream:
    """Who asked what, in order. `near` has for each the places before it that are near."""

    texts: Sequence[str]
    names: Sequence[Name]
    near: Sequence[Sequence[Near]]


@dataclass(frozen=True, slots=True)
class Reply:
    """`place` is that of the request whose answer is given; its own for a miss."""

    level: Level
    place: int


@dataclass(slots=True)
class Shelf:
    """What is kept, by its name and by its place in the stream."""

    stream: Stream
    least: float
    """The threshold."""
    refuses: Refuses
    most_matches: int
    keeps_all: bool = False
    """Also what another's answer would have served."""
    _named: dict[str, int] = field(default_factory=dict)
    _kept: set[int] = field(default_factory=set)

    def reply(self, place: int) -> Reply:
        """Keeps what it does not find."""
        name = self.stream.names[place]
        same = self._named.get(name.shared)
        if same is not None:
            exact = self.stream.names[same].exact == name.exact
            return Reply("hit-exact" if exact else "hit-normalised", same)
        alike = self._alike(place)
        if alike is None or self.keeps_all:
            self._named[name.shared] = place
            self._kept.add(place)
        return Reply("miss", place) if alike is None else Reply("hit-semantic", alike)

    def _alike(self, place: int) -> int | None:
        """The nearest that the guard lets through."""
        near = (p for p, similarity in self.stream.near[place] if similarity >= self.least)
        matches = [p for p in near if p in self._kept][: self.most_matches]
        texts = self.stream.texts
        return next((p for p in matches if not self.refuses(texts[place], texts[p])), None)


def replayed(shelf: Shelf) -> list[Reply]:
    """What each request of the stream gets, from an empty cache on."""
    return [shelf.reply(place) for place in range(len(shelf.stream.texts))]
