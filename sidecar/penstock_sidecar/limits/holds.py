"""What is asked of the books, and what they answer: values alone."""

from collections.abc import Sequence
from typing import Final

from penstock_config.layout import Group
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.store import Argument
from penstock_sidecar.values import dataclass

AS_HELD: Final = -1
"""Nobody knows how many tokens: they stay as they were held."""
MEMORY_SECONDS: Final = 86_400
"""For so long an expired hold's money is waited for, where its budgets say nothing."""
OTHERS: Final = "others"
"""Users beyond those who are told apart."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A user, or a header's value: beyond `most` of them at a time they share their keys.

    All but `member` are places in KEYS, counts, and microseconds.
    """

    told_apart: int
    member: str
    most: int
    life_us: int
    first: int
    keys: int
    distance: int

    @property
    def arguments(self) -> tuple[Argument, ...]:
        return (
            self.told_apart,
            self.member,
            self.most,
            self.life_us,
            self.first,
            self.keys,
            self.distance,
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """Who asks, where apps wait for each other. `waiting` and `turns` are places in KEYS."""

    waiting: int
    turns: int
    who: str
    """`<priority>:<app>`; a higher digit goes first."""
    weight: int
    waits: bool
    """A refusal is not the end: it will ask again in time."""

    @property
    def arguments(self) -> tuple[Argument, ...]:
        return self.waiting, self.turns, self.who, self.weight, int(self.waits)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call goes, and for whom: a group, and the keys that follow its three."""

    group: Group
    keys: tuple[str, ...] = ()
    subjects: tuple[Subject, ...] = ()
    turn: Turn | None = None
    high: bool = False
    """May use what is reserved for high priority."""
    user: str = ""

    def name(self, key: int) -> str:
        """Of a place in KEYS."""
        own = self.group.keys
        return own[key - 1] if key <= len(own) else self.keys[key - len(own) - 1]

    def sum(self, bound: Bound, key: int, field: str) -> "Sum":
        if not bound.spenders:
            return Sum(key, field)
        user = self.user if key == bound.key else OTHERS
        return Sum(key, field, bound.spenders, f"{field.rpartition(':')[2]}:{user}")


@dataclass(frozen=True, slots=True)
class Hold:
    """What is to be taken. Money between `least` and `want`, as much as there is."""

    id: str
    bounds: Sequence[Bound]
    tokens: int = 0
    want_micro_usd: int = 0
    least_micro_usd: int = 0
    requests: int = 1
    """More than one where some are taken ahead."""

    @property
    def kinds(self) -> str:
        """The scripts' letters for its bounds."""
        return "".join(str(bound.head[0]) for bound in self.bounds)

    @property
    def memory_seconds(self) -> int:
        """For so long its money is waited for once it has expired."""
        budgets = (bound.budget for bound in self.bounds)
        return max((b.unsettled_age_out_seconds for b in budgets if b), default=MEMORY_SECONDS)


@dataclass(frozen=True, slots=True)
class Sum:
    """Where money that was spent is added up: key and field, and the list of spenders."""

    key: int
    field: str
    spenders: int = 0
    member: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A bound after an acquire. `reset_seconds` of `None` is never."""

    bound: Bound
    limit: int
    remaining: int
    reset_seconds: float | None


@dataclass(frozen=True, slots=True)
class Grant:
    """`money`: micro-USD of each hold, in order. `sums`: of all holds' money, in order."""

    money: tuple[int, ...]
    standings: tuple[Standing, ...]
    sums: tuple[Sum, ...] = ()
    shared_subjects: int = 0
    """Of the place's subjects, how many are not told apart."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """`bound` is the one to wait for longest; `wait_seconds` of `None` is for ever."""

    bound: Bound
    wait_seconds: float | None
    standings: tuple[Standing, ...]
    others_turn: bool = False
    """There is room, for others who waited longer."""
    relearning: bool = False
    """Redis has lost its data: for a moment nobody knows how much room there is."""

    @property
    def standing(self) -> Standing:
        return next(s for s in self.standings if s.bound is self.bound)


@dataclass(frozen=True, slots=True)
class End:
    """How a hold ends. `requests` is how many of its count: 0 where nothing was asked."""

    id: str
    requests: int = 0
    tokens: int = 0
    spent_known: bool = True
    """False: its money stays unsettled."""
    sums: tuple[Sum, ...] = ()
    """What it spent has been added to."""
