"""What a chapter of the demo shows, and how it says that it could not."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from penstock_cli.demo.stage import Stage


class Unexpected(Exception):
    """Something else happened than the chapter promises."""


def expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001  # reads as `assert` does
    """Raise `Unexpected` unless it holds."""
    if not holds:
        raise Unexpected(otherwise)


@dataclass(frozen=True, slots=True)
class Shown:
    """What happened, as pairs of a name and a value, and why."""

    facts: tuple[tuple[str, str], ...]
    why: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """One thing to show. `play` raises `Unexpected` where it does not come true."""

    name: str
    title: str
    play: Callable[[Stage], Awaitable[Shown]]
