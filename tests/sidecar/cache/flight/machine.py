"""A state machine of calls to the scripts of a flight: each is made, and foretold."""

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import redis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from penstock_config.cache_layout import Shelves
from penstock_sidecar.cache.flight.part import End, Fence
from penstock_sidecar.cache.flight.shared import (
    ANY,
    MOST_FAILURES,
    Answered,
    Follow,
    GoAlone,
    Joined,
    Lead,
    SharedFlight,
)
from penstock_sidecar.cache.flight.times import Times
from penstock_sidecar.cache.shelf import Shelf
from penstock_sidecar.store import Argument, Script
from tests.sidecar.limits.virtual import run

SHELVES = Shelves.of("test", "shop", "main", "scope")
NAME = "target:request"
TIMES = Times(lease=1000, next_leader=1000, least_alone=1000, most_alone=1000)
"""Nothing expires by itself while a machine runs, however slowly."""
LIFE_MS = 1_000_000
SEAL_BYTES = 32
WHO = st.sampled_from(("a", "b", "c"))


class SyncStore:
    """A `Store` over a plain client, for hypothesis drives no loop. `mutate` changes scripts."""

    def __init__(self, client: "redis.Redis", mutate: tuple[str, str] | None) -> None:
        self._client = client
        self._mutate = mutate

    async def command(self, *arguments: Argument) -> object:
        raise NotImplementedError

    async def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> object:
        text = script.text.replace(*self._mutate) if self._mutate else script.text
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        try:
            return self._client.evalsha(sha, len(keys), *keys, *arguments)
        except redis.exceptions.NoScriptError:
            return self._client.eval(text, len(keys), *keys, *arguments)


@dataclass
class Foretold:
    """The flight, as it should be."""

    leader: str | None = None
    number: int = 0
    """Of the latest leader; 0 where it is forgotten."""
    failures: int = 0
    alone: bool = False


class Flying(RuleBasedStateMachine):
    """Three who want one answer."""

    client: ClassVar["redis.Redis"]
    mutate: ClassVar[tuple[str, str] | None] = None

    @initialize()
    def start(self) -> None:
        self.client.flushall()
        store = SyncStore(self.client, self.mutate)
        self.key, answer = SHELVES.flight(NAME), SHELVES.answer(NAME)
        self.flights = {
            who: SharedFlight(store, self.key, answer, TIMES, token=who) for who in ("a", "b", "c")
        }
        self.shelf = Shelf(store)
        self.foretold = Foretold()
        self.numbers: dict[str, int] = {}
        """Each one's latest."""
        self.highest = 0
        self.answer: bytes | None = None
        self.answers = 0

    @rule(who=WHO, seen=st.sampled_from(("nothing", "this", "another", "any")))
    def begin(self, who: str, seen: str) -> None:
        of = {"nothing": b"", "this": self.seal, "another": b"x" * SEAL_BYTES, "any": ANY}
        joined = run(self.flights[who].begin(of[seen]))
        expected = self.expected(who, seen)
        assert type(joined) is expected
        match joined:
            case Answered(seal):
                assert seal == self.seal
            case Follow(seconds):
                assert 0 < seconds <= TIMES.lease
            case Lead(number):
                self.leads(who, number)
            case _:
                pass

    def expected(self, who: str, seen: str) -> type[Joined]:
        if self.answer and seen in {"nothing", "another"}:
            return Answered
        if self.foretold.alone:
            return GoAlone
        return Follow if self.foretold.leader not in {None, who} else Lead

    def leads(self, who: str, number: int) -> None:
        if self.foretold.leader == who:
            assert number == self.foretold.number
        else:
            assert number > self.highest
        self.foretold.leader, self.foretold.number = who, number
        self.numbers[who] = self.highest = number

    @rule(who=WHO)
    def beat(self, who: str) -> None:
        assert run(self.flights[who].beat()) is (self.foretold.leader == who)

    @rule(who=WHO, how=st.sampled_from(("refused", "failed", "unkept")))
    def end(self, who: str, how: End) -> None:
        after = run(self.flights[who].end(how, 1))
        foretold = self.foretold
        if foretold.leader != who:
            assert after == "lost"
            return
        foretold.leader = None
        foretold.failures += how == "failed"
        if how == "unkept" or (how == "failed" and foretold.failures >= MOST_FAILURES):
            self.foretold = Foretold(alone=True)
            assert after == "alone"
        else:
            assert after == "next"

    @rule(who=WHO)
    def lead_and_fail(self, who: str) -> None:
        """So that failures in a row are not rare."""
        self.begin(who, "any")
        self.end(who, "failed")

    @rule(who=WHO)
    def keep(self, who: str) -> None:
        """Whoever led once, and may not know that he leads no more."""
        if who not in self.numbers:
            return
        self.answers += 1
        sealed = b"%032d and the answer" % self.answers
        fence = Fence(self.key, self.numbers[who])
        kept = not run(self.shelf.put((SHELVES, NAME), sealed, LIFE_MS, fence)).fenced
        assert kept == (self.foretold.number == self.numbers[who])
        if kept:
            self.foretold, self.answer = Foretold(), sealed

    @rule()
    def go_silent(self) -> None:
        """The leader misses his beats; or what is remembered is forgotten."""
        self.client.delete(self.key)
        self.foretold = Foretold()

    @rule()
    def forget_the_answer(self) -> None:
        self.client.delete(SHELVES.answer(NAME))
        self.answer = None

    @invariant()
    def nothing_stays_for_ever(self) -> None:
        if self.client.exists(self.key):
            assert 0 < int(self.client.pttl(self.key)) <= TIMES.lease * 1000

    @invariant()
    def a_flight_is_remembered_as_long_as_it_matters(self) -> None:
        foretold = self.foretold
        matters = foretold.leader or foretold.alone or foretold.number
        assert bool(self.client.exists(self.key)) == bool(matters)

    @property
    def seal(self) -> bytes:
        return (self.answer or b"")[:SEAL_BYTES]
