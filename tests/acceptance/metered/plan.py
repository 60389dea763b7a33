"""What the fake does with a request. Data only."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Fate = Literal["answer", "refuse", "fail", "cut", "stall", "error"]
"""`refuse` and `fail`: an error response, before or after the work. `cut` ends the connection,
`error` ends a stream with an error in-band, `stall` sends nothing more until the client goes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Of one attempt. Tokens are of each answer, before its cap cuts them."""

    says: int = 40
    thinks: int = 0
    hidden: bool = False
    """Thoughts are billed and not shown."""
    usage: Literal["true", "missing", "zero"] = "true"
    fate: Fate = "answer"
    after: int = 0
    """Pieces that are shown before its fate; 0: not even the status line. A plain answer shows
    nothing before its end."""
    status: int = 500
    reset: bool = False
    """A cut is a RST, else a FIN."""
    stepped: bool = False
    """A piece waits until its reader has the one before: nothing is lost on the way then."""
    piece_bytes: int = 8


Plans = Callable[[str, int], Plan]
"""By tag and attempt: what happens depends on nothing else."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens that are generated together, and shown unless they are hidden."""

    choice: int
    tokens: int
    thought: bool
    shown: bool


@dataclass(frozen=True, slots=True)
class Output:
    """What one answer comes to under its cap."""

    thinks: int
    says: int
    cut: bool


def output(plan: Plan, most: int) -> Output:
    thinks = min(plan.thinks, most)
    says = min(plan.says, most - thinks)
    return Output(thinks, says, thinks + says < plan.thinks + plan.says)


def pieces(plan: Plan, most: int, choices: int) -> Iterator[Piece]:
    """In the order of a stream: one choice after the other, thoughts first."""
    whole = output(plan, most)
    for choice in range(choices):
        for thought, total in ((True, whole.thinks), (False, whole.says)):
            shown = not (thought and plan.hidden)
            for start in range(0, total, plan.piece_bytes):
                yield Piece(choice, min(plan.piece_bytes, total - start), thought, shown)
