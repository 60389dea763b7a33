"""A state machine of processes on a Redis that forgets: what is known in the end, and no more.

Several processes (a `Memory`, and all that works with it) spend on one server. Calls get lost, are
heard without an answer, come late and twice. The server falls back to what it was (a failover that
forgot the last changes), loses everything, and has older data again. Processes die. In the end all
that live have said once that they do.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from penstock_config.layout import Group
from penstock_config.periods import Arguments, Calendar
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.holds import End, Grant, Hold, Place, Sum
from penstock_sidecar.limits.shares import Counted
from penstock_sidecar.store import StoreUnavailable
from tests.sidecar.limits.machine import bound
from tests.sidecar.limits.process import GROUPS, Process, Way
from tests.sidecar.limits.truth import Name, Truth
from tests.sidecar.limits.virtual import CLOCK_KEY, VirtualStore

SECOND: Final = 1_000_000
PLENTY: Final = 10**9
PROCESSES: Final = 3
SILENCE: Final = 3601 * SECOND
PERIOD: Final = 11 * SILENCE


class LongPeriods(Calendar):
    """Days of eleven hours: some end, and within one there is time for a long silence."""

    def arguments(self, utc: float) -> Arguments:
        this = round(utc * SECOND) // PERIOD
        labels = (f"{this + offset:06}" for offset in (-2, -1, 0, 1))
        return (this * PERIOD, (this + 1) * PERIOD, (this + 2) * PERIOD, *labels)


def bounds() -> tuple[Bound, ...]:
    money = replace(bound("m", "m", 1, "money", PLENTY), calendar=LongPeriods("daily"))
    return bound("w", "r", 4, "rpm", PLENTY), bound("c", "c", 5, "", PLENTY), money


BOUNDS: Final = bounds()
PLACES: Final = {g.tag: Place(g, (g.subject("one"), g.slots("one"))) for g in GROUPS}


@dataclass(repr=False)
class Open:
    """A hold whose request is in flight."""

    process: "Process"
    place: Place
    hold: Hold
    sums: tuple[Sum, ...]

    def __repr__(self) -> str:
        return f"{self.hold.id} of {self.process}"


@dataclass(repr=False)
class Saved:
    """The server's data at some time, and what of the truth is in it."""

    at_us: int
    keys: dict[bytes, bytes]
    here: dict[Name, dict[str, int]]


class Forgetful(RuleBasedStateMachine):
    """Rules are what can happen; `teardown` is what is known in the end."""

    client: ClassVar[Any]
    """A `redis.Redis`, which answers in bytes."""
    mutate: ClassVar[tuple[str, str] | None] = None

    @initialize()
    def begin(self) -> None:
        self.client.flushall()
        self.runner = asyncio.Runner()
        self.store = VirtualStore(self.client, self.mutate)
        self.truth = Truth()
        self.live = [Process(self.store, self.truth) for _ in range(PROCESSES)]
        self.dead: list[Process] = []
        self.open: list[Open] = []
        self.saved: list[Saved] = []
        self.admitted: list[tuple[int, Process, str]] = []
        """When, by whom, in which group."""
        self.dropped: set[Process] = set()
        self.number = 0

    @rule(step=st.one_of(st.integers(1, 5 * SECOND), st.just(31 * SECOND)))
    def time_passes(self, step: int) -> None:
        self.store.now_us += step
        if step > 30 * SECOND:
            self._forget_what_is_late()
            self._all_renew()

    @precondition(lambda self: not self.open)
    @rule()
    def a_period_ends(self) -> None:
        """All beat before; data older than that never comes back."""
        self.saved.clear()
        self._all_beat()
        self.time_passes(PERIOD)

    @rule(data=st.data(), group=st.sampled_from(GROUPS), want=st.integers(1, 100))
    def acquire(self, data: st.DataObject, group: Group, want: int) -> None:
        process = data.draw(st.sampled_from(self.live))
        place = PLACES[group.tag]
        self.number += 1
        hold = Hold(f"h{self.number}", BOUNDS, 0, want, want)
        try:
            answer = self.runner.run(process.ledger.acquire(place, [hold]))
        except StoreUnavailable:
            return
        if isinstance(answer, Grant):
            self.runner.run(self._admitted(Open(process, place, hold, answer.sums)))

    async def _admitted(self, opened: Open) -> None:
        process, place = opened.process, opened.place
        counted = [Counted(place.group, place.name(b.key), b) for b in BOUNDS[:2]]
        process.memory.shares.granted(counted, 0)
        process.renewals.keep(place, opened.hold)
        self.admitted.append((self.store.now_us, process, place.group.tag))
        self.open.append(opened)

    @precondition(lambda self: self.open)
    @rule(
        data=st.data(),
        spent=st.integers(0, 120),
        way=st.sampled_from(["heard", "heard", "heard", "mute", "lost", "late", "unsent"]),
    )
    def settle(self, data: st.DataObject, spent: int, way: Way) -> None:
        ended = data.draw(st.sampled_from(self.open))
        self.open.remove(ended)
        process, place = ended.process, ended.place
        process.renewals.drop(place, ended.hold.id)
        sums = ended.sums if spent else ()
        self._spend(process, place, sums, spent)
        self.runner.run(process.settle(place, End(ended.hold.id, 1, 0, sums=sums), way))

    @rule(
        data=st.data(),
        group=st.sampled_from(GROUPS),
        spent=st.integers(1, 120),
        way=st.sampled_from(["heard", "heard", "mute", "lost", "late", "unsent"]),
    )
    def serve_without_a_hold(self, data: st.DataObject, group: Group, spent: int, way: Way) -> None:
        """As while Redis is away."""
        self._serve(data.draw(st.sampled_from(self.live)), group, spent, way)

    def _serve(self, process: Process, group: Group, spent: int, way: Way) -> None:
        place, calendar = PLACES[group.tag], LongPeriods("daily")
        sums = (Sum(1, f"money:{calendar.label(self.store.utc())}"),)
        self.number += 1
        self._spend(process, place, sums, spent)
        self.runner.run(process.settle(place, End(f"h{self.number}", 1, 0, sums=sums), way))

    def _spend(self, process: Process, place: Place, sums: tuple[Sum, ...], spent: int) -> None:
        process.ledger.spend(place, sums, spent)
        for each in sums:
            of_process = self.truth.spent[place.group.tag, each.field]
            of_process[process.name] = of_process.get(process.name, 0) + spent

    @precondition(lambda self: any(p.wire.late for p in (*self.live, *self.dead)))
    @rule(data=st.data(), again=st.booleans())
    def what_was_late_arrives(self, data: st.DataObject, again: bool) -> None:
        """In any order, and perhaps not for the last time."""
        wires = [p.wire for p in (*self.live, *self.dead) if p.wire.late]
        wire = data.draw(st.sampled_from(wires))
        call = data.draw(st.sampled_from(wire.late))
        self.runner.run(wire.deliver(call.script, call.keys, call.arguments))
        if not again:
            wire.late.remove(call)

    @rule(data=st.data())
    def beat(self, data: st.DataObject) -> None:
        self._beat(data.draw(st.sampled_from(self.live)))

    def _beat(self, process: Process) -> None:
        self.runner.run(process.beat())

    @rule()
    def it_is_saved(self) -> None:
        """Not while somebody is dropped who has not said anything since."""
        for process in self.dropped & {*self.live}:
            self._beat(process)
        self.dropped.clear()
        names = [name for name in self.client.keys("*") if name != CLOCK_KEY.encode()]
        keys = {name: self.client.dump(name) for name in names}
        self.saved.append(Saved(self.store.now_us, keys, self.truth.snapshot()))

    @precondition(lambda self: self.saved)
    @rule(data=st.data())
    def it_falls_back(self, data: st.DataObject) -> None:
        """To what a replica had, or a file: every connection breaks."""
        self._fall_back(data.draw(st.sampled_from(self.saved)))

    def _fall_back(self, saved: Saved) -> None:
        self._flush()
        for name, value in saved.keys.items():
            self.client.restore(name, 0, value)
        self.truth.restored(saved.here)
        self.admitted = [each for each in self.admitted if each[0] < saved.at_us]
        for process in self.live:
            process.wire.broken = True

    @rule()
    def all_is_lost(self) -> None:
        self._flush()
        self.truth.restored({})

    def _flush(self) -> None:
        self.client.flushall()
        self.store.now_us += 1

    @precondition(lambda self: self.truth.spent)
    @rule(data=st.data())
    def a_process_dies(self, data: st.DataObject) -> None:
        """Another one comes; what it held, and had not told, is gone."""
        process = data.draw(st.sampled_from(self.live))
        self.live.remove(process)
        self.dead.append(process)
        self.open = [each for each in self.open if each.process is not process]
        self.admitted = [each for each in self.admitted if each[1] is not process]
        self.live.append(Process(self.store, self.truth))

    @precondition(lambda self: self.truth.spent and not self.open)
    @rule(data=st.data())
    def one_is_silent_and_dropped(self, data: st.DataObject) -> None:
        """For an hour, when the operator drops what it told. What it had said last was heard."""
        silent = data.draw(st.sampled_from(self.live))
        self.dropped.add(silent)
        self._all_beat()
        self.store.now_us += SILENCE
        self._forget_what_is_late()
        self.saved.clear()
        for process in self.live:
            if process is not silent:
                self._beat(process)
        for group in GROUPS:
            names = self.client.hkeys(group.state)
            told = [name for name in names if name.endswith(b":I" + silent.name.encode())]
            if told:
                self.client.hdel(group.state, *told)

    def _forget_what_is_late(self) -> None:
        for process in (*self.live, *self.dead):
            process.wire.late.clear()

    def _all_renew(self) -> None:
        """Whoever finds his connection broken tries again."""
        for process in self.live:
            for _ in range(1 + process.wire.broken):
                self.runner.run(process.renewals.renew_old())

    def _all_beat(self) -> None:
        for process in self.live:
            self._beat(process)

    def teardown(self) -> None:
        if not hasattr(self, "live"):
            return
        try:
            self._all_beat()
            self._all_beat()
            self._slots_are_taken()
            self._windows_are_known()
            self._sums_are_known()
            self._holds_are_those_that_live()
        finally:
            self.runner.run(self._close())
            self.runner.close()

    def _sums_are_known(self) -> None:
        live = {process.name for process in self.live}
        last = self.store.now_us // PERIOD - 1
        for name in list(self.truth.spent):
            if int(name[1].rpartition(":")[2]) < last:
                continue
            group = next(g for g in GROUPS if g.tag == name[0])
            epoch = int(self.client.hget(group.state, "@epoch") or 0)
            every = (*self.live, *self.dead)
            current = {p.name for p in every if p.memory.books(group.tag).epoch == epoch}
            settled = int(self.client.hget(group.state, f"{name[1]}:S") or 0)
            least, most = self.truth.bounds(name, live, current)
            assert least <= settled <= most, (name, least, settled, most)

    def _slots_are_taken(self) -> None:
        for group in GROUPS:
            slots = self.client.zrangebyscore(group.slots("one"), self.store.now_us, "+inf")
            held = {each.hold.id.encode() for each in self.open if each.place.group is group}
            assert held <= set(slots)

    def _windows_are_known(self) -> None:
        """No less is counted than those who live admitted, but for what a failover forgot."""
        since = self.store.now_us - 59 * SECOND
        for group in GROUPS:
            known = int(self.client.hget(group.subject("one"), "rpm") or 0)
            assert known >= sum(at > since and tag == group.tag for at, _, tag in self.admitted)

    def _holds_are_those_that_live(self) -> None:
        """Once those have expired that nobody renews."""
        for _ in range(4):
            self.store.now_us += 10 * SECOND
            self._all_renew()
            self._all_beat()
        for group in GROUPS:
            held = [each for each in self.open if each.place.group is group]
            fields = self.client.hgetall(group.state)
            reserved = [int(value) for name, value in fields.items() if name.endswith(b":R")]
            assert sum(reserved) == sum(each.hold.want_micro_usd for each in held)
            slots = self.client.zrangebyscore(group.slots("one"), self.store.now_us, "+inf")
            assert sorted(slots) == sorted(each.hold.id.encode() for each in held)

    async def _close(self) -> None:
        for process in (*self.live, *self.dead):
            await process.close()
