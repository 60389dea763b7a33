"""What a request costs Redis, out of what Redis counts: pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SCRIPT_CALL: Final = "evalsha"
CONTROL: Final = frozenset({"config", "info", "slowlog", "client"})
"""What the measurement itself sends; by the first word of `config|resetstat` and its like."""


@dataclass(frozen=True, slots=True)
class Spent:
    """One line of INFO commandstats."""

    calls: int
    microseconds: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests, and what Redis did for them. What a script calls is counted in its own line, and
    in the script's."""

    requests: int
    commands: Mapping[str, Spent]

    @property
    def script_us(self) -> float:
        """Microseconds of scripts, per request."""
        return self._of(SCRIPT_CALL).microseconds / self.requests

    @property
    def calls(self) -> float:
        """Scripts, per request."""
        return self._of(SCRIPT_CALL).calls / self.requests

    @property
    def lua_us(self) -> float:
        """Of scripts, without the commands that they call."""
        called = sum(spent.microseconds for _, spent in self.called())
        return self.script_us - called / self.requests

    def called(self) -> list[tuple[str, Spent]]:
        """The commands that scripts called, dearest first."""
        inner = [(name, spent) for name, spent in self.commands.items() if name != SCRIPT_CALL]
        return sorted(inner, key=lambda pair: -pair[1].microseconds)

    def us_of(self, command: str) -> float:
        """Microseconds per request."""
        return self._of(command).microseconds / self.requests

    def _of(self, command: str) -> Spent:
        return self.commands.get(command, Spent(0, 0))


@dataclass(frozen=True, slots=True)
class ServerCost:
    """One server: the best batch of requests, and the best of each floor beside it."""

    server: str
    best: Batch
    empty_script: Batch
    """The same calls, keys and arguments, to a script that does nothing."""
    increment: Batch
    """One INCRBY per call."""
    by_script: Mapping[str, float]
    """`acquire namespace`, ...: median microseconds of one call; each is made once per request."""

    @property
    def median_us(self) -> float:
        """Per request; on a busy machine nearer to the truth than the best batch."""
        return sum(self.by_script.values())


def parsed(commandstats: Mapping[str, object]) -> dict[str, Spent]:
    """As redis-py gives INFO commandstats, less the measurement's own."""
    found = {}
    for name, fields in commandstats.items():
        command = name.removeprefix("cmdstat_").lower()
        if command.split("|")[0] not in CONTROL and isinstance(fields, Mapping):
            found[command] = Spent(int(fields["calls"]), int(fields["usec"]))
    return found


def cheapest(batches: Iterable[Batch], command: str) -> Batch:
    """A neighbour on the machine only ever adds."""
    return min(batches, key=lambda batch: batch.us_of(command))


def cost_table(costs: Sequence[ServerCost]) -> str:
    """Markdown: microseconds of Redis per request, and how often the floors' that is."""
    scripts = sorted({name for cost in costs for name in cost.by_script})
    header = (
        "server", "us/request", "by medians", "scripts/request", "x empty script", "x INCRBY",
        "Lua us",
        *(f"{name} us" for name in scripts),
    )  # fmt: skip
    rows = [
        (
            cost.server,
            f"{cost.best.script_us:.1f}",
            f"{cost.median_us:.0f}",
            f"{cost.best.calls:.1f}",
            f"{cost.best.script_us / cost.empty_script.us_of(SCRIPT_CALL):.1f}",
            f"{cost.best.script_us / cost.increment.us_of('incrby'):.1f}",
            f"{cost.best.lua_us:.1f}",
            *(f"{cost.by_script.get(name, 0):.0f}" for name in scripts),
        )
        for cost in costs
    ]
    return _markdown(header, rows)


def command_table(costs: Sequence[ServerCost]) -> str:
    """Markdown: what the scripts call, as calls per request and microseconds per request."""
    names = list(dict.fromkeys(name for cost in costs for name, _ in cost.best.called()))
    header = ("called by scripts", *(cost.server for cost in costs))
    rows = [(name, *(_called(cost.best, name) for cost in costs)) for name in names]
    return _markdown(header, rows)


def _called(batch: Batch, name: str) -> str:
    spent = batch.commands.get(name)
    return f"{spent.calls / batch.requests:.1f} x, {batch.us_of(name):.1f} us" if spent else ""


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ("---", *("---:" for _ in header[1:])), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
