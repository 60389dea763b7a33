"""Sidecars as they ship, started once and shared: each takes up a test's configuration as a pod
does, from its files."""

import asyncio
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import SecretStr

from penstock_config.budget import Budget
from penstock_config.codec import config_file_name, credentials_file_name, digest, encode
from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.policy import CallerLimit, Target
from penstock_config.provider import Provider, RateLimits
from penstock_config.schema import SidecarConfig
from penstock_sidecar.app import Ports
from tests.planes.plane import NAMESPACE, policy, tier
from tests.planes.shipped import COMMAND, environment
from tests.sidecar.http.edge import exchange, head

SIDECARS = 8
PATIENCE_SECONDS = 20
START_SECONDS = 60
"""Eight processes, on a machine that others use too."""
POLL_SECONDS = 0.05
SUBJECT = "x-subject"
"""The header by which tests that share a fleet keep their counters apart."""


class Line(NamedTuple):
    """One of a sidecar's log; `at` is on the clock of `time.monotonic`."""

    at: float
    said: dict[str, Any]


@dataclass(slots=True)
class Shipped:
    """One sidecar's process."""

    process: subprocess.Popen[bytes]
    lines: list[Line] = field(default_factory=list)
    started: threading.Event = field(default_factory=threading.Event)
    ports: Ports = field(default_factory=lambda: Ports(0, 0, 0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports.application}"

    async def state(self) -> dict[str, Any]:
        found = json.loads((await exchange(self.ports.admin, head("GET", "/debug/state"))).body)
        assert isinstance(found, dict)
        return found

    async def until(self, **state: object) -> None:
        """Returns when its `/debug/state` says so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if state.items() <= (await self.state()).items():
                    return
                await asyncio.sleep(POLL_SECONDS)

    def pause(self) -> None:
        """`SIGSTOP`, until `go_on`."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill_dash_nine(self) -> None:
        self.process.kill()
        self.process.wait()

    def read_log(self) -> None:
        """To its end: a full pipe would stop the sidecar."""
        assert self.process.stdout
        for line in self.process.stdout:
            said = json.loads(line)
            self.lines.append(Line(time.monotonic(), said))
            if said["event"] == "sidecar.started":
                self.ports = Ports(said["application"], said["probe"], said["admin"])
                self.started.set()


@contextmanager
def shipped(folder: Path, **settings: str) -> Iterator[Shipped]:
    """A sidecar that reads `folder`; it starts while the block already runs."""
    env = environment(folder, **settings)
    with subprocess.Popen(COMMAND, env=env, stdout=subprocess.PIPE) as process:
        sidecar = Shipped(process)
        reader = threading.Thread(target=sidecar.read_log)
        reader.start()
        try:
            yield sidecar
        finally:
            process.kill()
            reader.join()


@dataclass(slots=True)
class Fleet:
    """Sidecars of one app, each its own pod, that read the same files and share one Redis."""

    folder: Path
    redis_url: str
    sidecars: list[Shipped]

    def anyone(self, chance: random.Random) -> Shipped:
        return chance.choice(self.sidecars)

    async def publish(self, config: SidecarConfig, redis_url: str | None = None) -> None:
        """Returns when all work by it, with another Redis than the fleet's if one is given."""
        access = redis_url or self.redis_url
        write(self.folder, config, access)
        wanted = {
            "config_digest": digest(encode(config)),
            "credentials_digest": digest(encode(credentials(config, access))),
        }
        await asyncio.gather(*(s.until(**wanted) for s in self.sidecars))


@contextmanager
def fleet(folder: Path, redis_url: str, size: int = SIDECARS, **settings: str) -> Iterator[Fleet]:
    """Without a configuration until `publish`; `settings` are further ones of each."""
    with ExitStack() as stack:
        sidecars = [
            stack.enter_context(shipped(folder, APP="shop", POD_NAME=f"shop-{number}", **settings))
            for number in range(size)
        ]
        assert all(sidecar.started.wait(START_SECONDS) for sidecar in sidecars)
        yield Fleet(folder, redis_url, sidecars)


def config(
    *providers: Provider, budgets: tuple[Budget, ...] = (), **of_policy: Any
) -> SidecarConfig:
    """A tier for each provider, of its name without the namespace, and one policy that has all."""
    names = [provider.id.removeprefix(f"{NAMESPACE}/") for provider in providers]
    tiers = tuple(f"{NAMESPACE}/{name}" for name in names)
    return SidecarConfig(
        cluster="test",
        namespace=NAMESPACE,
        providers=providers,
        tiers=tuple(tier(name, (name, "small")) for name in names),
        policies=(policy(**{"default": Target(tier=tiers[0]), "tiers": tiers, **of_policy}),),
        budgets=budgets,
    )


def by_subject(limits: RateLimits, name: str = "each") -> CallerLimit:
    """Everybody who names himself in the header `SUBJECT` has this limit to himself."""
    return CallerLimit(name=name, per="Header", header=SUBJECT, limits=limits)


def credentials(config: SidecarConfig, redis_url: str) -> Credentials:
    """A key for each provider that needs one, and the way to Redis."""
    keys = {p.id: (SecretStr("sk-the-platforms-own"),) for p in config.providers if p.needs_key}
    redis = RedisAccess(url=redis_url)
    return Credentials(provider_keys=keys, redis=redis, scope_key=SecretStr("scope"))


def write(folder: Path, config: SidecarConfig, redis_url: str) -> None:
    """As the operator and the kubelet would: whole files, swapped in."""
    _swap(folder / credentials_file_name(), encode(credentials(config, redis_url)))
    _swap(folder / config_file_name(), encode(config))


def _swap(path: Path, data: bytes) -> None:
    if not path.exists() or path.read_bytes() != data:
        new = path.with_suffix(".new")
        new.write_bytes(data)
        os.replace(new, path)
