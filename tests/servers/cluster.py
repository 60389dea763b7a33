"""Three masters that share the slots, with or without replicas."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from tests.servers.certificates import Certificates
from tests.servers.server import Server, eventually, follows, running

MASTERS: Final = 3
NODE_TIMEOUT_MS: Final = 1000
MOVE_TIMEOUT_MS: Final = 5000

Step = Literal["open", "half", "done"]


@dataclass
class Cluster:
    """`servers`: the three masters as they began, then their replicas in the same order."""

    servers: tuple[Server, ...]

    @property
    def url(self) -> str:
        """As `RedisAccess.url` takes it."""
        scheme = "rediss+cluster" if self.servers[0].tls else "redis+cluster"
        return f"{scheme}://{','.join(server.address for server in self.servers[:MASTERS])}"

    @staticmethod
    def slot(key: str) -> int:
        """Of a key, or of a hash tag in braces."""
        return key_slot(key.encode())

    def owner(self, slot: int) -> Server:
        """The server that serves the slot, as a server that answers sees it."""
        for server in self.servers:
            if _answers(server) and (owner := _owners(server).get(slot)):
                return next(s for s in self.servers if _id(s) == owner)
        raise AssertionError(f"nobody serves slot {slot}")

    def other(self, slot: int) -> Server:
        """A first master that does not serve the slot."""
        owner = self.owner(slot)
        return next(server for server in self.servers[:MASTERS] if server is not owner)

    def migrate_slot(self, slot: int, step: Step, target: Server | None = None) -> Server:
        """Begins or goes on with moving a slot, as far as `step`; gives the server it goes to.

        "open": IMPORTING and MIGRATING are set, no key moved: a missing key is asked for (ASK) at
        the target, of several keys that are half there TRYAGAIN. "half": also half of the keys
        that there are (rounded up) moved. "done": all, and everybody knows the new owner. Steps
        may follow each other, with the same `target`.
        """
        source = self.owner(slot)
        target = target or self.other(slot)
        target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", _id(source))
        source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", _id(target))
        count = source.call("CLUSTER", "COUNTKEYSINSLOT", slot)
        most = {"open": 0, "half": (count + 1) // 2, "done": count}[step]
        keys = sorted(source.call("CLUSTER", "GETKEYSINSLOT", slot, most))
        if keys:
            place = ("127.0.0.1", target.port, "", 0, MOVE_TIMEOUT_MS)
            source.call("MIGRATE", *place, "KEYS", *keys)
        if step == "done":
            self._hand_over(slot, target, source)
        return target

    def fail_over(self, slot: int) -> Server:
        """The replica of the slot's owner takes over, in good order; gives the new owner."""
        heir = self.replica_of(self.owner(slot))
        heir.call("CLUSTER", "FAILOVER")
        self.wait_for_owner(slot, heir)
        return heir

    def replica_of(self, master: Server) -> Server:
        """Of one that runs, or did."""
        return next(s for s in self.servers if s.process and _row(s, _id(s)).master == _id(master))

    def wait_for_owner(self, slot: int, owner: Server) -> None:
        """Returns when every server that answers takes `owner` for the slot's."""

        def known() -> bool:
            views = [_owners(server) for server in self.servers if _answers(server)]
            return all(view.get(slot) == _id(owner) for view in views)

        eventually(known, f"{owner.address} as owner of slot {slot}")

    def _hand_over(self, slot: int, target: Server, source: Server) -> None:
        """The target hears first: until then the source still sends callers to it by ASK."""
        rest = [s for s in self.servers if s is not target and s is not source]
        for server in (target, source, *rest):
            if server.call("ROLE")[0] == "master":
                server.call("CLUSTER", "SETSLOT", slot, "NODE", _id(target))
        self.wait_for_owner(slot, target)


@contextmanager
def cluster(
    executable: str,
    directory: Path,
    *options: str,
    replicas: Literal[0, 1] = 0,
    tls: Certificates | None = None,
) -> Iterator[Cluster]:
    """Ready when every server says that the cluster is. `options` go to every server.

    Without full coverage: a master that is away takes its own slots along, no others.
    """
    common: tuple[str, ...] = (
        "--cluster-enabled",
        "yes",
        "--cluster-node-timeout",
        str(NODE_TIMEOUT_MS),
    )
    common += ("--cluster-require-full-coverage", "no", "--save", "", "--appendonly", "no")
    common += ("--repl-diskless-sync-delay", "0", *options)
    if tls:
        common += ("--tls-cluster", "yes")
    servers = []
    for i in range(MASTERS * (1 + replicas)):
        folder = directory / f"node-{i}"
        folder.mkdir()
        servers.append(Server(executable, folder, common, tls))
    with running(*servers):
        _form(servers)
        yield Cluster(tuple(servers))


def _form(servers: list[Server]) -> None:
    share = -(-REDIS_CLUSTER_HASH_SLOTS // MASTERS)
    for i, server in enumerate(servers):
        server.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
        server.call("CLUSTER", "MEET", "127.0.0.1", servers[0].port)
        if i < MASTERS:
            slots = range(share * i, min(share * (i + 1), REDIS_CLUSTER_HASH_SLOTS))
            server.call("CLUSTER", "ADDSLOTS", *slots)
    count = len(servers)
    eventually(lambda: all(_whole(server, count) for server in servers), "a cluster that is whole")
    pairs = list(zip(servers, servers[MASTERS:], strict=False))
    for master, replica in pairs:
        replica.call("CLUSTER", "REPLICATE", _id(master))
    eventually(lambda: all(follows(m, r) for m, r in pairs), "replicas in step")
    eventually(
        lambda: all(_row(s, _id(r)).master == _id(m) for m, r in pairs for s in servers),
        "replicas known to all",
    )


def _whole(server: Server, count: int) -> bool:
    state = server.call("CLUSTER", "INFO").split()
    everybody = f"cluster_known_nodes:{count}" in state and "cluster_state:ok" in state
    return everybody and len(_owners(server)) == REDIS_CLUSTER_HASH_SLOTS


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of CLUSTER NODES."""

    node_id: str
    flags: frozenset[str]
    master: str
    slots: tuple[range, ...]


def _rows(server: Server) -> list[_Row]:
    lines = [line.split() for line in server.call("CLUSTER", "NODES").splitlines()]
    return [_Row(row[0], frozenset(row[2].split(",")), row[3], _ranges(row[8:])) for row in lines]


def _ranges(texts: list[str]) -> tuple[range, ...]:
    """`5`, `7-9`; `[...]` is a slot on its way."""
    pairs = [text.partition("-") for text in texts if not text.startswith("[")]
    return tuple(range(int(first), int(last or first) + 1) for first, _, last in pairs)


def _row(server: Server, node_id: str) -> _Row:
    return next(row for row in _rows(server) if row.node_id == node_id)


def _owners(server: Server) -> dict[int, str]:
    """Slot -> id of the master that serves it and has not failed, as `server` sees it."""
    masters = [row for row in _rows(server) if "master" in row.flags and "fail" not in row.flags]
    return {slot: row.node_id for row in masters for slots in row.slots for slot in slots}


def _id(server: Server) -> str:
    """From the file that the server keeps: one that is away has a name too."""
    lines = (server.directory / "nodes.conf").read_text().splitlines()
    return next(line.split()[0] for line in lines if "myself" in line)


def _answers(server: Server) -> bool:
    try:
        return bool(server.call("PING"))
    except (redis.RedisError, OSError):
        return False
