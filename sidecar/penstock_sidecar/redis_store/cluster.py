"""A Cluster: each call goes to the node that serves its slot, and on to where that node sends it.

Nodes are connected to when they are first needed, each with its own breaker: one that is away takes
its own slots along. First sends keep the order of the calls, per slot; a call that is redirected is
sent again, and takes its place then.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from random import choice, uniform
from typing import Any, Final

import hiredis

from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store.address import Address, Login, Target
from penstock_sidecar.redis_store.connection import Connection, Pending
from penstock_sidecar.redis_store.news import News, reason
from penstock_sidecar.redis_store.node import Node, Patience, Reply, forget
from penstock_sidecar.redis_store.refusal import code_of
from penstock_sidecar.redis_store.slots import Endpoint, redirect, slot_of, slot_of_command
from penstock_sidecar.redis_store.topology import look
from penstock_sidecar.redis_store.way import Direct
from penstock_sidecar.store import Argument, Script, StoreUnavailable

MAX_SENDS: Final = 8
"""Of one call, redirects and repetitions included."""
FIRST_PAUSE_SECONDS: Final = 0.001
"""Before a call is repeated whose keys are on their way; doubled each time."""
REFRESH_SECONDS: Final = (0.4, 0.8)
"""Between two looks at who serves what, when one is called for."""


@dataclass(frozen=True, slots=True)
class Call:
    """What may have to be sent more than once."""

    slot: int | None
    arguments: tuple[Argument, ...]
    script: Script | None = None


@dataclass(slots=True)
class Sent:
    """One sending of a call."""

    node: Node
    endpoint: Endpoint
    pending: Pending
    load: Pending | None
    asking: bool


class Member(Direct):
    """The way to one node; the Cluster hears when it is away."""

    def __init__(self, address: Address, login: Login, stale: asyncio.Event) -> None:
        super().__init__(address, login)
        self._stale = stale

    async def dial(self) -> Connection:
        try:
            return await super().dial()
        except BaseException:
            self._stale.set()
            raise

    async def watch(self, connection: Connection) -> None:
        await super().watch(connection)
        self._stale.set()


class Cluster:
    """As `Node`, over many. Raises `StoreUnavailable` and nothing else; ended by `close`."""

    def __init__(self, target: Target, access: RedisAccess, patience: Patience) -> None:
        self._seeds = target.addresses
        self._login = Login(access.username, access.password)
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._table: list[Endpoint | None] = []
        self._nodes: dict[Endpoint, Node] = {}
        self._news = News()
        self._stale = asyncio.Event()
        self._tried = asyncio.Event()
        self._keeper = self._loop.create_task(self._keep_informed())

    @property
    def available(self) -> bool:
        """Who serves what is known, and of the nodes in use at least one is connected."""
        nodes = self._nodes.values()
        return bool(self._table) and (not nodes or any(node.available for node in nodes))

    async def first_try(self) -> None:
        """Returns when the Cluster has been looked at once, with whatever result."""
        await self._tried.wait()

    def command(self, *arguments: Argument) -> Reply:
        """Queued by the call itself, as `Node.command`. The first argument is the key."""
        return self._start(Call(slot_of_command(arguments), arguments))

    def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> Reply:
        """As `command`; all keys are of the first one's slot."""
        slot = slot_of(keys[0]) if keys else None
        call = ("EVALSHA", script.sha, len(keys), *keys, *arguments)
        return self._start(Call(slot, call, script))

    async def close(self) -> None:
        """Ends all connections; calls that still wait fail."""
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        await asyncio.gather(*(node.close() for node in self._nodes.values()))
        self._news.tell("closed", str(self))

    def __str__(self) -> str:
        return ",".join(map(str, self._seeds))

    def _start(self, call: Call) -> Reply:
        endpoint = self._endpoint(call)
        if endpoint is None:
            self._stale.set()
            return _nobody(self._news.latest)
        return self._finish(call, self._send(call, endpoint))

    def _endpoint(self, call: Call) -> Endpoint | None:
        if not self._table:
            return None
        if call.slot is not None:
            return self._table[call.slot]
        connected = [endpoint for endpoint, node in self._nodes.items() if node.available]
        return choice(connected or [e for e in self._table if e])  # noqa: S311  # any will do

    def _send(self, call: Call, endpoint: Endpoint, *, asking: bool = False) -> Sent:
        """One write: the script where the node does not know it, ASKING, the call."""
        node = self._nodes.get(endpoint) or self._open(endpoint)
        load = node.load(call.script) if call.script else None
        if asking:
            node.send("ASKING").add_done_callback(forget)
        return Sent(node, endpoint, node.send(*call.arguments), load, asking)

    def _open(self, endpoint: Endpoint) -> Node:
        address = Address(*endpoint, None, 0, self._seeds[0].tls)
        node = self._nodes[endpoint] = Node(
            Member(address, self._login, self._stale), self._patience
        )
        return node

    async def _finish(self, call: Call, sent: Sent) -> object:
        until = self._loop.time() + self._patience.deadline_seconds
        sends = 1
        while True:
            try:
                return await sent.node.reply(sent.pending, until - self._loop.time())
            except StoreUnavailable:
                self._stale.set()
                raise
            except hiredis.ReplyError as error:
                if sends == MAX_SENDS:
                    raise sent.node.refused(error, script=call.script is not None) from error
                pause_seconds = FIRST_PAUSE_SECONDS * 2**sends
                in_time = self._loop.time() + pause_seconds < until
                sent = await self._again(call, sent, error, pause_seconds if in_time else 0.0)
                sends += 1

    async def _again(
        self, call: Call, sent: Sent, error: hiredis.ReplyError, pause_seconds: float
    ) -> Sent:
        """Each of these replies means that nothing was done. No pause: there is no time left."""
        elsewhere = redirect(str(error), sent.endpoint)
        match code_of(error):
            case "MOVED" if elsewhere:
                self._stale.set()
                if call.slot is not None:
                    self._table[call.slot] = elsewhere
                return self._send(call, elsewhere)
            case "ASK" if elsewhere:
                return self._send(call, elsewhere, asking=True)
            case "NOSCRIPT" if call.script:
                sent.node.load(call.script, than=sent.load)
                return self._send(call, sent.endpoint, asking=sent.asking)
            case "TRYAGAIN" | "CLUSTERDOWN" as code if pause_seconds:
                if code == "CLUSTERDOWN":
                    self._stale.set()
                await asyncio.sleep(pause_seconds)
                return self._send(call, self._endpoint(call) or sent.endpoint)
            case _:
                raise sent.node.refused(error, script=call.script is not None) from error

    async def _keep_informed(self) -> None:
        while True:
            self._stale.clear()
            await self._refresh()
            self._tried.set()
            if self._table:
                await self._stale.wait()
            await asyncio.sleep(uniform(*REFRESH_SECONDS))  # noqa: S311  # spreads, guards nothing

    async def _refresh(self) -> None:
        connected = [endpoint for endpoint, node in self._nodes.items() if node.available]
        known = [*connected, *(e for e in set(self._table) if e)]
        tls = self._seeds[0].tls
        places = [Address(*endpoint, None, 0, tls) for endpoint in known]
        try:
            best = await look((*places, *self._seeds), self._login)
        except (OSError, ValueError, hiredis.HiredisError) as error:
            self._news.tell("away", str(self), reason(error))
            return
        self._table = best.table()
        self._news.tell("available", str(self))
        await self._retire(best.endpoints())

    async def _retire(self, serving: set[Endpoint]) -> None:
        """A node that is away and serves nothing any more is dialled no longer."""
        gone = [e for e, node in self._nodes.items() if e not in serving and node.away]
        await asyncio.gather(*(self._nodes.pop(endpoint).close() for endpoint in gone))


def _nobody(why: str) -> Coroutine[Any, Any, object]:
    async def refuse() -> object:
        known = why in {"", "available"}
        raise StoreUnavailable("no node serves this slot" if known else why, sent=False)

    return refuse()
