"""One Redis user per namespace, set on every server: ACLs are not replicated, nor always kept.

What a user may reach is widened at once and narrowed late: sidecars that have not heard yet, and
requests in flight, still settle with what they had. So it is with passwords.

A user's name is `penstock.<cluster>.<namespace>`. No namespace has a dot in its name, so that no
two installations, whatever they are called, ever take a user for their own that is the other's.
None has an underscore either: what begins with one is the embedder's.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from penstock_config.acl import acl_rules, embedder_rules
from penstock_operator.ledger.nodes import opened_nodes
from penstock_operator.ledger.store import BATCH, Command, LedgerAway, said, translated
from penstock_operator.settings import Settings

OUTGOING_SECONDS: Final = 900.0
"""Longer than a kubelet takes to bring new files, and a request to end."""
EMBEDDER: Final = "_embedder"
"""In the place of a namespace."""


def user_name(cluster: str, namespace: str) -> str:
    """The user of a namespace's sidecars."""
    return f"penstock.{cluster}.{namespace}"


@dataclass(frozen=True, slots=True)
class User:
    """A user as it should be."""

    name: str
    password: str = field(repr=False)
    may: tuple[str, ...]
    """The rules that say what; to follow `reset`."""

    @classmethod
    def of_namespace(
        cls, cluster: str, namespace: str, password: str, tags: Iterable[str]
    ) -> "User":
        """Its sidecars'. `tags`: what the keys that they may reach begin with."""
        return cls(user_name(cluster, namespace), password, acl_rules(sorted(tags)))

    @classmethod
    def of_embedder(cls, cluster: str, password: str) -> "User":
        return cls(user_name(cluster, EMBEDDER), password, embedder_rules(cluster))

    @property
    def login(self) -> str:
        """The rule that lets the password in, without telling it."""
        return f"#{hashlib.sha256(self.password.encode()).hexdigest()}"

    @property
    def rules(self) -> tuple[str, ...]:
        return (self.login, *self.may)


@dataclass(frozen=True, slots=True)
class Result:
    """How a round went."""

    taken: frozenset[str]
    """Users that some server took and none refused."""
    faults: tuple[str, ...]
    """What went wrong, each with its server."""


class Outgoing:
    """Passwords and patterns that users had, kept for a while."""

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._last: dict[str, dict[str, float]] = {}
        """By user and rule: when it was wanted, or met on a server, last."""

    def met(self, name: str, rules: Iterable[str]) -> None:
        """Notes what a server says that the user has."""
        known = self._last.setdefault(name, {})
        for rule in rules:
            known.setdefault(rule, self._clock())

    def of(self, user: User) -> tuple[str, ...]:
        """Rules that the user keeps beside its own."""
        now, own = self._clock(), {rule for rule in user.rules if rule[0] in "#~"}
        known = self._last.get(user.name, {}) | dict.fromkeys(own, now)
        kept = {rule: at for rule, at in known.items() if now - at < self._seconds}
        self._last[user.name] = kept
        return tuple(sorted(kept.keys() - own))

    def forget(self, name: str) -> None:
        self._last.pop(name, None)


class Users:
    """The users of one installation. Others are never touched."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
        outgoing_seconds: float = OUTGOING_SECONDS,
    ) -> None:
        self._settings = settings
        self._outgoing = Outgoing(clock, outgoing_seconds)
        self._met: set[tuple[str, str]] = set()
        """Server and user: what it had was looked at."""

    async def put(self, users: Collection[User], keep: Collection[str] | None = None) -> Result:
        """Sets the users everywhere; removes all others of this installation but those in `keep`.

        `keep=None` removes nobody. A server that is away gets them in a later call; `LedgerAway`
        where none is there.
        """
        async with opened_nodes(self._settings) as nodes:
            self._met = {(at, name) for at, name in self._met if at in nodes}
            turns = (self._put_on(at, node, users, keep) for at, node in nodes.items())
            refused = await asyncio.gather(*turns)
        if all(each is None for each in refused):
            msg = "no server can be reached"
            raise LedgerAway(msg)
        faults = [
            f"{at}: {text}"
            for at, each in zip(nodes, refused, strict=True)
            for text in sorted({"is away"} if each is None else {*each.values()})
        ]
        lost = {name for each in refused if each for name in each}
        return Result(frozenset(user.name for user in users) - lost, tuple(faults))

    async def _put_on(
        self, at: str, node: Redis, users: Collection[User], keep: Collection[str] | None
    ) -> dict[str, str] | None:
        """Users that the server refuses, with its reason; `None`: it is away."""
        try:
            there = await self._there(node)
            await self._meet(at, node, [user.name for user in users if user.name in there])
            refused = await self._set(node, users)
            if keep is not None:
                refused |= await self._remove(at, node, there - {*keep} - {u.name for u in users})
        except LedgerAway as error:
            if isinstance(error.__cause__, ResponseError):
                return {user.name: str(error) for user in users}
            return None
        return refused

    async def _there(self, node: Redis) -> set[str]:
        """This installation's, by name."""
        with translated():
            reply: Any = await node.execute_command("ACL", "USERS")  # type: ignore[no-untyped-call]  # redis-py's
        names = (name.decode() for name in reply)
        ours = user_name(self._settings.cluster, "")
        return {name for name in names if name.startswith(ours) and "." not in name[len(ours) :]}

    async def _meet(self, at: str, node: Redis, names: Sequence[str]) -> None:
        """A server may know of rules that a former leader still had reasons for."""
        new = [name for name in names if (at, name) not in self._met]
        replies = await _ask(node, [("ACL", "GETUSER", name) for name in new])
        for name, reply in zip(new, replies, strict=True):
            if isinstance(reply, list):
                self._outgoing.met(name, _rules_of(reply, self._settings.cluster))
                self._met.add((at, name))

    async def _set(self, node: Redis, users: Collection[User]) -> dict[str, str]:
        """Each at once, whole: no moment is without the user."""
        calls: list[Command] = [
            ("ACL", "SETUSER", user.name, "reset", "on", *self._outgoing.of(user), *user.rules)
            for user in users
        ]
        return _refused([user.name for user in users], await _ask(node, calls))

    async def _remove(self, at: str, node: Redis, names: Collection[str]) -> dict[str, str]:
        replies = await _ask(node, [("ACL", "DELUSER", name) for name in names])
        for name in names:
            self._outgoing.forget(name)
            self._met.discard((at, name))
        return _refused(names, replies)


async def _ask(node: Redis, commands: Sequence[Command]) -> list[Any]:
    """The raw reply of each, or its error."""
    replies: list[Any] = []
    for start in range(0, len(commands), BATCH):
        with translated():
            pipeline = node.pipeline(transaction=False)
            for command in commands[start : start + BATCH]:
                pipeline.execute_command(*command)
            replies += await pipeline.execute(raise_on_error=False)
    return replies


def _refused(names: Iterable[str], replies: Iterable[Any]) -> dict[str, str]:
    pairs = zip(names, replies, strict=True)
    return {name: said(reply) for name, reply in pairs if isinstance(reply, Exception)}


def _rules_of(reply: Sequence[Any], cluster: str) -> Iterator[str]:
    """Passwords, and patterns of providers, out of the reply to ACL GETUSER.

    Patterns are a list in 6.2, and from 7.0 on one text.
    """
    fields = dict(zip(reply[::2], reply[1::2], strict=True))
    for digest in fields[b"passwords"]:
        yield f"#{digest.decode().removeprefix('#')}"
    keys = fields[b"keys"]
    for pattern in keys.split() if isinstance(keys, bytes) else keys:
        text = pattern.decode().removeprefix("~")
        if text.startswith(f"{{{cluster}:p:"):
            yield f"~{text}"
