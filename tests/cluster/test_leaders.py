"""Three replicas whose leaders die: who wrote when, by the API server's audit log."""

import logging
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path

import pytest

from penstock_config.codec import config_file_name, decode_config
from penstock_operator.cluster import Cluster, connect
from penstock_operator.cluster.client import LEASES
from tests.cluster.control_plane import required_binaries
from tests.cluster.objects import (
    POLICIES,
    condition,
    config_map,
    eventually,
    install_definitions,
    new_namespace,
    policy,
    put,
    put_all,
    unused_name,
)
from tests.cluster.own_plane import Entry, OwnPlane, own_plane
from tests.cluster.processes import Process, operator_environment, running

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
REPLICAS = 3
ENDS = (signal.SIGSTOP, signal.SIGKILL)
"""Of each leader in turn. One is only frozen, and wakes up when the one after the next leads."""
LIVES = [f"life-{number}" for number in range(REPLICAS + len(ENDS))]
"""Each process has an identity of its own, so that the log knows them apart."""
TAKE_OVER_SECONDS = 20
logger = logging.getLogger(__name__)


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[OwnPlane]:
    (tmp_path / "plane").mkdir()
    with own_plane(required_binaries(), tmp_path / "plane", users=LIVES) as found:
        yield found


class Replicas:
    """Those that live, by identity."""

    def __init__(self, plane: OwnPlane, directory: Path, namespace: str, stack: ExitStack) -> None:
        self._plane = plane
        self._directory = directory
        self._namespace = namespace
        self._stack = stack
        self._names = iter(LIVES)
        self._alive: dict[str, Process] = {}

    def start(self) -> None:
        name = next(self._names)
        environment = operator_environment(self._plane.kubeconfig_of(name), self._namespace)
        self._alive[name] = self._stack.enter_context(
            running(self._directory / f"{name}.log", environment)
        )

    async def leader(self, cluster: Cluster) -> str:
        """Its identity; empty while nobody that lives leads."""
        lease = await cluster.get(LEASES, "penstock-operator", self._namespace)
        pid = str(lease["spec"].get("holderIdentity") or "").rpartition("_")[2]
        return next((n for n, each in self._alive.items() if str(each.popen.pid) == pid), "")

    def end(self, name: str, how: signal.Signals) -> Process:
        process = self._alive.pop(name)
        process.popen.send_signal(how)
        return process


async def test_pain_20_leaders_that_die_are_followed_and_never_do_two_write(
    plane: OwnPlane, tmp_path: Path
) -> None:
    audit, own, ended = plane.audit(), unused_name(), []
    async with connect(plane.kubeconfig) as cluster:
        await install_definitions(cluster)
        async with new_namespace(cluster, own), new_namespace(cluster) as home:
            await put_all(cluster, home)
            with ExitStack() as stack:
                replicas = Replicas(plane, tmp_path, own, stack)
                for _ in range(REPLICAS):
                    replicas.start()
                for number, how in enumerate(ENDS):
                    leader = await eventually(lambda: replicas.leader(cluster))
                    await put(cluster, POLICIES, policy(home, f"p{number}"))
                    await eventually(partial(is_published, cluster, home, f"p{number}"))
                    await eventually(partial(all_is_told, cluster, home, f"p{number}"))
                    process = replicas.end(leader, how)
                    ended.append((leader, datetime.now(UTC), process))
                    replicas.start()
                await put(cluster, POLICIES, policy(home, "last"))
                await eventually(lambda: is_published(cluster, home, "last"))
                await wakes_and_ends(ended[ENDS.index(signal.SIGSTOP)][2])
    entries = [entry for entry in audit.news() if entry.user in LIVES and entry.writes]
    writers = [user for user, _ in groupby(e.user for e in entries if e.resource != "leases")]
    assert len(writers) == len(ENDS) + 1, "every leader wrote, and nobody once another had"
    assert writers[:-1] == [leader for leader, _, _ in ended]
    gaps = [
        gap(entries, when, after) for (_, when, _), after in zip(ended, writers[1:], strict=True)
    ]
    logger.info("seconds until the next leads: %s", gaps)
    assert max(gaps) <= TAKE_OVER_SECONDS


def gap(entries: list[Entry], when: datetime, after: str) -> float:
    """Seconds from a leader's end until that one held the Lease."""
    held = next(e for e in entries if e.user == after and e.resource == "leases" and e.code < 300)
    return (held.answered_at - when).total_seconds()


async def is_published(cluster: Cluster, namespace: str, name: str) -> bool:
    found = await config_map(cluster, namespace)
    config = decode_config(found["data"][config_file_name()].encode())
    return f"{namespace}/{name}" in {each.id for each in config.policies}


async def all_is_told(cluster: Cluster, namespace: str, name: str) -> bool:
    """Whether that is written which comes last: what is frozen on its way would come when woken."""
    return bool(condition(await cluster.get(POLICIES, name, namespace), "Ready"))


async def wakes_and_ends(process: Process) -> None:
    """It believes to lead until it looks at the Lease, or at the clock."""
    process.popen.send_signal(signal.SIGCONT)

    async def ended() -> bool:
        return process.popen.poll() is not None

    await eventually(ended)
    assert process.popen.returncode == 1, process.log
