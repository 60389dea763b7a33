"""What processes really spent, and what can be known of it: by sum, in integers.

    S = what all processes that live spent + what the data has of those that are gone

exactly, as long as the data was never lost. After a loss the second part is at most what was ever
told of it, and S at least

    what one that survived saw + what came for sure after the loss.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

Name = tuple[str, str]
"""A group's tag and a field."""
Amounts = defaultdict[Name, dict[str, int]]
"""By process."""


def _amounts() -> Amounts:
    return defaultdict(dict)


def _raise(amounts: dict[str, int], process: str, amount: int) -> None:
    amounts[process] = max(amounts.get(process, 0), amount)


@dataclass
class Truth:
    spent: Amounts = field(default_factory=_amounts)
    here: Amounts = field(default_factory=_amounts)
    """That the present data was told."""
    ever: Amounts = field(default_factory=_amounts)
    """That any data was told."""
    sent: Amounts = field(default_factory=_amounts)
    """In this epoch, heard or not."""
    ever_sent: Amounts = field(default_factory=_amounts)
    heard: Amounts = field(default_factory=_amounts)
    """What a process was last told of the whole sum, in this epoch."""
    base: Amounts = field(default_factory=_amounts)
    """`sent`, when the epoch before was lost."""
    seen: Amounts = field(default_factory=_amounts)
    """`heard`, when the epoch before was lost."""

    def unanswered(self, process: str, tag: str, told: Mapping[str, int]) -> None:
        for name, total in told.items():
            _raise(self.sent[tag, name], process, total)
            _raise(self.ever_sent[tag, name], process, total)

    def done(self, process: str, tag: str, told: Mapping[str, int]) -> None:
        for name, total in told.items():
            _raise(self.here[tag, name], process, total)
            _raise(self.ever[tag, name], process, total)

    def answered(
        self, process: str, tag: str, told: Mapping[str, int], sums: Mapping[str, int]
    ) -> None:
        self.unanswered(process, tag, told)
        for name, total in sums.items():
            self.heard[tag, name][process] = total

    def adopted(self, process: str, tag: str, *, older: bool) -> None:
        for name in [name for name in self.spent if name[0] == tag]:
            sent, heard = self.sent[name].pop(process, 0), self.heard[name].pop(process, 0)
            told = self.ever_sent[name].get(process, 0)
            _raise(self.base[name], process, told)
            if older:
                self.seen[name].pop(process, 0)
            else:
                _raise(self.seen[name], process, max(heard, sent))

    def snapshot(self) -> dict[Name, dict[str, int]]:
        return {name: dict(told) for name, told in self.here.items()}

    def restored(self, here: Mapping[Name, Mapping[str, int]]) -> None:
        self.here = _amounts()
        self.here.update({name: dict(told) for name, told in here.items()})

    def bounds(self, name: Name, live: set[str], current: set[str]) -> tuple[int, int]:
        """Of S, once all that live have told. `current` are those who knew the present epoch; of
        others that are gone, what was seen is not compared."""
        spent, here = self.spent[name], self.here[name]
        known = {p: spent[p] if p in live else here[p] for p in {*spent} if p in live or p in here}
        base, seen = self.base[name], self.seen[name]
        fresh = sum(amount - base.get(p, 0) for p, amount in known.items() if p in current)
        most_seen = max((seen.get(p, 0) for p in known if p in current), default=0)
        least = max(sum(known.values()), most_seen + fresh)
        gone = sum(most for p, most in self.ever[name].items() if p not in live)
        return least, sum(amount for p, amount in spent.items() if p in live) + gone
