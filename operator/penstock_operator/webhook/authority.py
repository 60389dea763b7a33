"""Which CAs are trusted, and which of them signs, through any rotation without a gap. Pure.

    made ──► successor ──► signer ──────────────► retired ─────────────► gone
             trusted,      signs the leaves;      trusted until every    no bundle
             signs not     until a third of its   leaf it signed         holds it
                           life is left           must have expired

A successor signs once every webhook configuration has carried it for `Lives.settle`: an API server
that still remembers the bundle of before must not meet a leaf that it cannot verify. The Secret
says alone what the bundle is, so that replicas whose clocks differ do not undo each other's work;
clocks decide only when the Secret is written.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from penstock_operator.webhook.certificates import CA_LIFE, LEAF_LIFE, SKEW, Certificate, Pair

MAX_RETIRED: Final = 32
"""Each deletion of the Secret leaves one, for two lives of a leaf: nobody knows any more which of
those that the bundles carry has signed. Beyond it, those that are trusted longest stay."""


@dataclass(frozen=True, slots=True)
class Lives:
    """How long certificates live, and the times that follow from it."""

    leaf: timedelta = LEAF_LIFE
    ca: timedelta = CA_LIFE

    @property
    def settle(self) -> timedelta:
        """How long a CA is carried before it signs: API servers hear of it one by one."""
        return min(timedelta(minutes=10), self.leaf / 10)

    @property
    def skew(self) -> timedelta:
        """By how much clocks may differ."""
        return min(SKEW, self.leaf / 10)


@dataclass(frozen=True, slots=True)
class Retired:
    """A CA that signs no more, and until when its leaves may live."""

    authority: Certificate
    until: datetime


@dataclass(frozen=True, slots=True)
class Keyring:
    """What all replicas share."""

    signer: Pair
    successor: Pair | None = None
    retired: tuple[Retired, ...] = ()

    @property
    def trusted(self) -> tuple[bytes, ...]:
        """The certificates of the bundle, in the order in which every replica writes them."""
        found: set[bytes] = {each.authority.certificate for each in self.retired}
        found |= {each.certificate for each in (self.signer, self.successor) if each}
        return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class Sight:
    """What one replica knows at one moment."""

    now: datetime
    kept: Keyring | None
    """`None`: the Secret is gone, or nothing in it can sign."""
    carried: tuple[Certificate, ...] = ()
    """Our CAs that any webhook configuration carries."""
    settled: frozenset[bytes] = frozenset()
    """Those that all of them have carried for long enough."""
    own: Pair | None = None
    """The CA of this replica's leaf."""
    leaf_expires: datetime | None = None


def renewed(sight: Sight, lives: Lives, make: Callable[[], Pair]) -> Keyring:
    """What the Secret must hold now: equal to `sight.kept` most of the time."""
    ring = _without_dead(sight.kept, sight.now, lives) if sight.kept else _anew(sight, lives, make)
    ring = _with_own(ring, sight, lives)
    successor = ring.successor
    if successor is not None:
        due = successor.certificate in sight.settled or not _usable(ring.signer, sight.now, lives)
        return _promoted(ring, successor, sight.now, lives) if due else ring
    if not _usable(ring.signer, sight.now, lives):
        return _promoted(ring, make(), sight.now, lives)
    return replace(ring, successor=make()) if _is_due(ring.signer, sight.now) else ring


def signer_of(sight: Sight, ring: Keyring, lives: Lives) -> Pair:
    """Who signs this replica's leaf: not a CA that an API server may not know yet."""
    own = sight.own
    if own is None or ring.signer.certificate in sight.settled:
        return ring.signer
    return own if _usable(own, sight.now, lives) else ring.signer


def _usable(authority: Pair, now: datetime, lives: Lives) -> bool:
    return authority.expires - now > lives.skew


def _is_due(authority: Pair, now: datetime) -> bool:
    """By the life it was made with: replicas may be started with different settings."""
    return authority.expires - now < (authority.expires - authority.made) / 3


def _anew(sight: Sight, lives: Lives, make: Callable[[], Pair]) -> Keyring:
    """After the Secret was deleted. What is trusted stays so, for others' leaves.

    Our own CA, if there is one, signs on, and only until its successor does: people delete the
    Secret because they want another CA.
    """
    until = sight.now + 2 * lives.leaf
    carried = tuple(Retired(each, until) for each in sight.carried if each.expires > sight.now)
    if sight.own and _usable(sight.own, sight.now, lives):
        ring = Keyring(sight.own, make())
    else:
        ring = Keyring(make())
    return _retiring(ring, carried)


def _with_own(ring: Keyring, sight: Sight, lives: Lives) -> Keyring:
    """What this replica's leaf is verified with stays trusted as long as the leaf lives."""
    if sight.own is None or sight.leaf_expires is None or sight.leaf_expires < sight.now:
        return ring
    until = sight.leaf_expires + lives.skew
    own = Certificate(sight.own.certificate, sight.own.made, sight.own.expires)
    return _retiring(ring, (Retired(own, until),))


def _promoted(ring: Keyring, successor: Pair, now: datetime, lives: Lives) -> Keyring:
    """The signer retires. Its last leaf may be made by a replica that hears of it late."""
    former = Certificate(ring.signer.certificate, ring.signer.made, ring.signer.expires)
    retired = (Retired(former, now + 2 * lives.leaf),) if former.expires > now else ()
    return _retiring(Keyring(successor, None, ring.retired), retired)


def _retiring(ring: Keyring, more: tuple[Retired, ...]) -> Keyring:
    """With those that are neither signer nor successor, each trusted as long as any entry says."""
    active = {each.certificate for each in (ring.signer, ring.successor) if each}
    found: dict[bytes, Retired] = {}
    for each in (*ring.retired, *more):
        mark = each.authority.certificate
        if mark not in active and (mark not in found or found[mark].until < each.until):
            found[mark] = each
    ordered = sorted(found.values(), key=lambda each: (each.until, each.authority.certificate))
    return replace(ring, retired=tuple(ordered[-MAX_RETIRED:]))


def _without_dead(ring: Keyring, now: datetime, lives: Lives) -> Keyring:
    def lives_on(each: Retired) -> bool:
        return min(each.until, each.authority.expires + lives.skew) > now

    return replace(ring, retired=tuple(each for each in ring.retired if lives_on(each)))
