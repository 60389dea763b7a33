"""A master, a replica and three sentinels that watch them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.servers.certificates import Certificates
from tests.servers.server import Server, eventually, follows, running

NAME: Final = "main"
DOWN_AFTER_MS: Final = 500
SENTINELS: Final = 3
QUORUM: Final = 2

CONFIGURATION = f"""
sentinel monitor {NAME} 127.0.0.1 {{port}} {QUORUM}
sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}
sentinel failover-timeout {NAME} 2000
"""


@dataclass
class SentinelPair:
    """`servers` are two; which one is the master changes."""

    servers: tuple[Server, Server]
    sentinels: tuple[Server, ...]

    @property
    def url(self) -> str:
        """As `RedisAccess.url` takes it."""
        scheme = "rediss+sentinel" if self.servers[0].tls else "redis+sentinel"
        return f"{scheme}://{','.join(s.address for s in self.sentinels)}/{NAME}"

    def master(self) -> Server:
        """The server that the first sentinel takes for the master."""
        return next(server for server in self.servers if server.port == self._told(0))

    def replica(self) -> Server:
        """The other one, whatever its state."""
        return next(server for server in self.servers if server.port != self._told(0))

    def failover(self) -> None:
        """Asks for one, in good order; returns when the other server is the master for all."""
        old = self.master()
        first = self.sentinels[0]
        eventually(lambda: first.call("SENTINEL", "FAILOVER", NAME), "the failover's begin")
        self.wait_for_switch(old)

    def wait_for_switch(self, old: Server) -> None:
        """Returns when every sentinel names another master than `old`, and it takes writes.

        With `old` killed or frozen, that is some 2 seconds away, 6 where the sentinels split their
        votes. For a tail that was never replicated: `stop_replication`, write, kill or freeze
        `old`, thaw the replica, wait.
        """
        new = next(server for server in self.servers if server is not old)
        everybody = range(len(self.sentinels))
        eventually(lambda: {self._told(i) for i in everybody} == {new.port}, "the switch")
        eventually(lambda: _role(new) == "master", "the replica's promotion")

    def wait_for_sync(self) -> None:
        """Returns when the replica follows the master, and the sentinels know it."""
        replica = self.replica()
        eventually(lambda: follows(self.master(), replica), "the replica's sync")
        eventually(lambda: all(map(_ready, self.sentinels)), "sentinels that know all")

    def _told(self, index: int) -> int:
        return int(self.sentinels[index].call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)[1])


@contextmanager
def sentinel_pair(
    executable: str, directory: Path, *options: str, tls: Certificates | None = None
) -> Iterator[SentinelPair]:
    """Ready when the replica is in step and the sentinels know of it and of each other.

    `options` go to both servers.
    """
    kept = ("--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0", *options)
    first = Server(executable, _folder(directory, "first"), kept, tls)
    follows = ("--replicaof", "127.0.0.1", str(first.port))
    second = Server(executable, _folder(directory, "second"), (*kept, *follows), tls)
    sentinels = tuple(
        _sentinel(executable, _folder(directory, f"sentinel-{i}"), first) for i in range(SENTINELS)
    )
    with running(first, second, *sentinels):
        pair = SentinelPair((first, second), sentinels)
        pair.wait_for_sync()
        yield pair


def _sentinel(executable: str, directory: Path, watched: Server) -> Server:
    file = directory / "sentinel.conf"
    file.write_text(CONFIGURATION.format(port=watched.port))
    return Server(executable, directory, ("--sentinel",), watched.tls, file)


def _folder(directory: Path, name: str) -> Path:
    folder = directory / name
    folder.mkdir()
    return folder


def _role(server: Server) -> object:
    return server.call("ROLE")[0]


def _ready(sentinel: Server) -> bool:
    fields = sentinel.call("SENTINEL", "MASTER", NAME)
    state = dict(zip(fields[::2], fields[1::2], strict=True))
    return (state["num-other-sentinels"], state["num-slaves"]) == (str(SENTINELS - 1), "1")
