"""The shared store's seam: what limits and cache need of Redis, and what they hear when it is away.

One multiplexed connection serves a whole sidecar; commands of one tick of the loop travel together.
"""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Protocol

Argument = bytes | str | int


class StoreUnavailable(Exception):
    """Redis did not answer in time, refused, or is known to be away. Never reaches a caller.

    `sent` False says that nothing can have been done: the call never left, or Redis refused it
    before it began. True says that nobody knows: the call may have been done, or be done yet.
    `away` says that a connection was lost: the next one may lead to older data.
    """

    def __init__(self, why: str = "", *, sent: bool = True, away: bool = False) -> None:
        super().__init__(why)
        self.sent = sent
        self.away = away


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script; `sha` is the SHA-1 of its text, in hex."""

    name: str
    text: str
    sha: str


def script_of(package: str, name: str, *parts: str) -> Script:
    """The package's `lua/<name>.lua`, or the `parts` of that folder one after the other."""
    folder = files(package).joinpath("lua")
    text = "\n".join(folder.joinpath(f"{part}.lua").read_text("utf-8") for part in parts or (name,))
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


class Store(Protocol):
    """Raises `StoreUnavailable`, within the deadline (50 ms), and nothing else."""

    async def command(self, *arguments: Argument) -> object: ...

    async def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> object:
        """Run by EVALSHA; a server that lost its scripts is given the text once."""
