"""One Redis process, and what a test may do to it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import redis

from tests.ports import free_port
from tests.servers.certificates import Certificates

PATIENCE_SECONDS: Final = 20.0
POLL_SECONDS: Final = 0.02


def eventually(condition: Callable[[], object], what: str) -> None:
    """Returns when `condition` gives something true; `AssertionError` after 20 s.

    A server that cannot be reached yet counts as not true."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if condition():
                return
        except (redis.RedisError, OSError):
            pass
        assert time.monotonic() < until, f"never happened: {what}"
        time.sleep(POLL_SECONDS)


@dataclass
class Server:
    """A server process: `options` are those of redis-server's command line."""

    executable: str
    directory: Path
    options: tuple[str, ...] = ()
    tls: Certificates | None = None
    configuration: Path | None = None
    """A file that the server itself may write to (Sentinel needs one)."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{'rediss' if self.tls else 'redis'}://{self.address}"

    @property
    def log(self) -> Path:
        """What the process wrote to its standard output."""
        return self.directory / f"{self.port}.log"

    def client(self) -> redis.Redis:
        """A client of redis-py for control, text replies; close it (`with server.client()`)."""
        trust = {"ssl_ca_certs": str(self.tls.ca)} if self.tls else {}
        return redis.Redis.from_url(
            self.url, decode_responses=True, socket_timeout=5, protocol=2, **trust
        )

    def call(self, *arguments: str | int) -> Any:
        """The plain reply to one command, on a connection of its own."""
        with self.client() as client:
            client.response_callbacks.clear()
            return client.execute_command(*arguments)

    def start(self) -> None:
        """Starts, or starts again on the same port and files; returns when it answers."""
        port = "--tls-port" if self.tls else "--port"
        command = [self.executable, *([str(self.configuration)] if self.configuration else [])]
        command += ["--bind", "127.0.0.1", port, str(self.port), "--dir", str(self.directory)]
        command += [*self._tls_options(), *self.options]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, text=True)
        eventually(self._answers, f"an answer of the server on {self.port}, see {self.log}")

    def freeze(self) -> None:
        """SIGSTOP: connections stay, nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL; returns when the process has ended. `start` brings it back."""
        if self.process:
            self.process.kill()
            self.process.wait(PATIENCE_SECONDS)
            self.process = None

    def _signal(self, number: int) -> None:
        assert self.process
        os.kill(self.process.pid, number)

    def _tls_options(self) -> tuple[str, ...]:
        if not self.tls:
            return ()
        names = ("--tls-cert-file", str(self.tls.certificate), "--tls-key-file", str(self.tls.key))
        ca = ("--tls-ca-cert-file", str(self.tls.ca), "--tls-auth-clients", "no")
        return ("--port", "0", *names, *ca, "--tls-replication", "yes")

    def _answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, f"the server ended: {self.log.read_text()[-2000:]}"
        try:
            return bool(self.call("PING"))
        except redis.AuthenticationError:  # it wants a login: it is there
            return True


def follows(master: Server, replica: Server) -> bool:
    """Whether what is written to one reaches the other at once."""
    up = "master_link_status:up" in replica.call("INFO", "replication")
    return up and f"port={replica.port},state=online" in master.call("INFO", "replication")


def stop_replication(master: Server, replica: Server) -> None:
    """Freezes the replica and cuts its link: what is written from now on is on the master alone.

    Kill (or freeze) the master and thaw the replica, and it takes over without that tail.
    """
    replica.freeze()
    master.call("CLIENT", "KILL", "TYPE", "replica")


@contextmanager
def single(
    executable: str,
    directory: Path,
    *options: str,
    aof: bool = False,
    tls: Certificates | None = None,
    acl: tuple[str, ...] = (),
) -> Iterator[Server]:
    """One server. `aof` keeps every write (fsync always); otherwise nothing is on disk.

    `acl` are lines of an ACL file (`user NAME on >PASSWORD ...`); the default user stays as the
    lines leave it.
    """
    kept = ("--appendonly", "yes", "--appendfsync", "always") if aof else ("--appendonly", "no")
    users: tuple[str, ...] = ()
    if acl:
        file = directory / "users.acl"
        file.write_text("\n".join(acl) + "\n")
        users = ("--aclfile", str(file))
    server = Server(executable, directory, ("--save", "", *kept, *users, *options), tls)
    with running(server):
        yield server


@contextmanager
def running(*servers: Server) -> Iterator[None]:
    """Starts all; kills all, frozen ones too."""
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in servers:
            server.kill()
