"""Rotation of CA and leaves without a gap, played by many replicas in any order."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from penstock_operator.webhook.authority import (
    MAX_RETIRED,
    Keyring,
    Lives,
    Retired,
    Sight,
    renewed,
    signer_of,
)
from penstock_operator.webhook.certificates import Certificate, Pair
from penstock_operator.webhook.custodian import Sightings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIVES = Lives(leaf=timedelta(days=7), ca=timedelta(days=90))
HOUR = timedelta(hours=1)
_numbers = count()


def authority(made: datetime = NOW, life: timedelta = LIVES.ca) -> Pair:
    return Pair(b"ca-%04d" % next(_numbers), made, made + life, b"key")


def bare(pair: Pair) -> Certificate:
    return Certificate(pair.certificate, pair.made, pair.expires)


def none_needed() -> Pair:
    raise AssertionError("no CA is due")


def test_a_ca_of_middle_age_is_kept() -> None:
    ring = Keyring(authority())
    assert renewed(Sight(NOW + LIVES.ca / 2, ring), LIVES, none_needed) == ring


def test_a_successor_is_trusted_when_a_third_is_left_and_does_not_sign() -> None:
    old, new = authority(), authority()
    ring = renewed(Sight(NOW + LIVES.ca * 0.67, Keyring(old)), LIVES, lambda: new)
    assert ring == Keyring(old, new)
    assert set(ring.trusted) == {old.certificate, new.certificate}


def test_a_successor_signs_once_it_settled_and_its_predecessor_stays_trusted() -> None:
    old, new = authority(), authority()
    now, ring = NOW + LIVES.ca * 0.7, Keyring(old, new)
    assert renewed(Sight(now, ring), LIVES, none_needed) == ring
    sight = Sight(now, ring, settled=frozenset({new.certificate}))
    after = renewed(sight, LIVES, none_needed)
    assert after.signer == new
    assert after.trusted == ring.trusted
    assert after.retired[0].until >= now + LIVES.leaf


def test_a_retired_ca_is_trusted_until_its_time_and_no_longer() -> None:
    ring = Keyring(authority(), None, (Retired(bare(authority()), NOW + HOUR),))
    assert renewed(Sight(NOW, ring), LIVES, none_needed) == ring
    assert renewed(Sight(NOW + 2 * HOUR, ring), LIVES, none_needed).retired == ()


def test_an_expired_signer_is_replaced_at_once() -> None:
    old, new = authority(NOW - LIVES.ca), authority()
    assert renewed(Sight(NOW, Keyring(old)), LIVES, lambda: new).signer == new
    assert renewed(Sight(NOW, Keyring(old, new)), LIVES, none_needed).signer == new


def test_a_deleted_secret_comes_back_with_the_ca_in_use_and_a_successor() -> None:
    own, new, other = authority(), authority(), authority()
    sight = Sight(
        NOW, None, carried=(bare(own), bare(other)), own=own, leaf_expires=NOW + LIVES.leaf
    )
    ring = renewed(sight, LIVES, lambda: new)
    assert (ring.signer, ring.successor) == (own, new)
    assert other.certificate in ring.trusted, "another replica's leaf may need it"


def test_a_replica_from_scratch_without_secret_takes_nobodys_trust_away() -> None:
    new, other, dead = authority(), authority(), authority(NOW - LIVES.ca)
    ring = renewed(Sight(NOW, None, carried=(bare(other), bare(dead))), LIVES, lambda: new)
    assert ring.signer == new
    assert set(ring.trusted) == {new.certificate, other.certificate}


def test_a_foreign_secret_does_not_end_the_trust_in_leaves_that_live() -> None:
    own, restored = authority(), Keyring(authority())
    sight = Sight(NOW, restored, own=own, leaf_expires=NOW + LIVES.leaf)
    ring = renewed(sight, LIVES, none_needed)
    assert own.certificate in ring.trusted
    assert signer_of(sight, ring, LIVES) == own
    settled = replace(sight, settled=frozenset({restored.signer.certificate}))
    assert signer_of(settled, ring, LIVES) == restored.signer


def test_trust_is_bounded_and_the_longest_stays() -> None:
    many = tuple(Retired(bare(authority()), NOW + HOUR * n) for n in range(1, MAX_RETIRED + 5))
    own = authority()
    sight = Sight(NOW, Keyring(authority(), None, many), own=own, leaf_expires=NOW + 99 * HOUR)
    ring = renewed(sight, LIVES, none_needed)
    assert len(ring.retired) == MAX_RETIRED
    assert own.certificate in ring.trusted


@pytest.mark.parametrize("leaf", [timedelta(seconds=4), timedelta(days=7)])
def test_waiting_for_api_servers_is_short_beside_a_leafs_life(leaf: timedelta) -> None:
    lives = Lives(leaf=leaf)
    assert lives.settle <= leaf / 10
    assert lives.skew <= leaf / 10


@dataclass
class Replica:
    """One process: its clock is wrong by `skew`, and what it knows ends with it."""

    skew: timedelta
    sightings: Sightings = field(default_factory=Sightings)
    own: Pair | None = None
    leaf_expires: datetime | None = None
    leaf_made: datetime | None = None
    ready: bool = False


class Rotation(RuleBasedStateMachine):
    """Replicas, a Secret, two configurations, and API servers that hear of a bundle late."""

    @initialize(skews=st.lists(st.integers(-5, 5), min_size=2, max_size=3))
    def begin(self, skews: list[int]) -> None:
        self.now = NOW
        self.secret: Keyring | None = None
        self.configurations: list[frozenset[Certificate]] = [frozenset(), frozenset()]
        self.heard = list(self.configurations)
        self.news: list[tuple[datetime, int, frozenset[Certificate]]] = []
        self.known: dict[bytes, Certificate] = {}
        self.replicas = [Replica(timedelta(minutes=each)) for each in skews]
        for each in self.replicas:
            self.round(each)
        self.later(LIVES.settle)

    def round(self, replica: Replica) -> None:
        """As `Custodian._round`."""
        now = self.now + replica.skew
        ticks = (self.now - NOW).total_seconds()
        by_all = frozenset(c.certificate for c in frozenset.intersection(*self.configurations))
        replica.sightings.note(by_all, ticks)
        sight = Sight(
            now,
            self.secret,
            tuple(frozenset.union(*self.configurations)),
            replica.sightings.settled(ticks, LIVES.settle),
            replica.own,
            replica.leaf_expires,
        )
        ring = renewed(sight, LIVES, lambda: self.make(now))
        self.secret = ring
        self.sign(replica, signer_of(sight, ring, LIVES), now)
        bundle = frozenset(self.known[each] for each in ring.trusted)
        for index, carried in enumerate(self.configurations):
            if carried != bundle:
                self.configurations[index] = bundle
                self.news.append((self.now + LIVES.settle * 0.9, index, bundle))
        self.known |= {each.certificate: each for each in bundle}

    def make(self, now: datetime) -> Pair:
        made = authority(now)
        self.known[made.certificate] = bare(made)
        return made

    def sign(self, replica: Replica, signer: Pair, now: datetime) -> None:
        made, expires = replica.leaf_made, replica.leaf_expires
        old = made is None or expires is None or expires - now < (expires - made) / 2
        if old or signer != replica.own:
            replica.own, replica.leaf_made = signer, now
            replica.leaf_expires = min(now + LIVES.leaf, signer.expires)

    def later(self, passed: timedelta) -> None:
        """API servers hear in order, each within `settle` of the write; each news is looked at."""
        end = self.now + passed
        while self.news and self.news[0][0] <= end:
            self.now, index, bundle = self.news.pop(0)
            self.heard[index] = bundle
            self.every_ready_replica_is_trusted_and_none_serves_an_expired_leaf()
        self.now = end
        for each in self.replicas:
            each.ready = each.ready or all(self.verifies(each, heard) for heard in self.heard)

    def verifies(self, replica: Replica, heard: frozenset[Certificate]) -> bool:
        assert replica.own is not None
        return replica.own.certificate in {each.certificate for each in heard}

    @rule(data=st.data(), minutes=st.integers(1, 60 * 24))
    def live_on(self, data: st.DataObject, minutes: int) -> None:
        """Time passes, and replicas have their rounds in any order, some of them none."""
        for each in data.draw(st.permutations(self.replicas)):
            if data.draw(st.integers(0, 9)):
                self.later(timedelta(minutes=data.draw(st.integers(0, 3))))
                self.round(each)
        self.later(timedelta(minutes=minutes))
        for each in self.replicas:
            self.round(each)
        self.later(timedelta(seconds=1))

    @rule(days=st.integers(5, 40))
    def let_weeks_pass(self, days: int) -> None:
        for _ in range(days * 2):
            self.later(timedelta(hours=12))
            for each in self.replicas:
                self.round(each)

    @rule(data=st.data())
    def restart_a_replica(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.replicas) - 1))
        fresh = Replica(self.replicas[index].skew)
        self.replicas[index] = fresh
        self.round(fresh)
        self.later(timedelta(0))

    @rule()
    def delete_the_secret(self) -> None:
        self.secret = None
        self.round(self.replicas[0])

    @precondition(lambda self: self.secret is not None)
    @rule()
    def write_a_configuration_anew(self) -> None:
        """As GitOps does; API servers hear of it only together with the repair."""
        self.configurations[0] = frozenset()
        self.round(self.replicas[-1])

    @invariant()
    def every_ready_replica_is_trusted_and_none_serves_an_expired_leaf(self) -> None:
        for each in self.replicas:
            assert each.leaf_expires is not None
            assert each.leaf_expires > self.now
            for heard in self.heard:
                assert not each.ready or self.verifies(each, heard)

    @invariant()
    def trust_does_not_pile_up(self) -> None:
        assert self.secret is not None
        assert len(self.secret.trusted) <= MAX_RETIRED + 2


TestRotation = Rotation.TestCase
TestRotation.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def test_ten_years_are_many_whole_rotations() -> None:
    """The machine above does turn: else its invariants would say nothing."""
    machine = Rotation()
    machine.begin([0, 3])
    for _ in range(10 * 365 // 40):
        machine.let_weeks_pass(40)
        machine.every_ready_replica_is_trusted_and_none_serves_an_expired_leaf()
    assert len(machine.known) >= 50
    assert all(each.ready for each in machine.replicas)
    assert len(machine.secret.trusted) <= 3 if machine.secret else False
