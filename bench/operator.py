"""What many policies and pods cost the operator, and the API server it works with.

A real etcd and kube-apiserver, no nodes. All figures are the API server's: its audit log says who
called what and when it was answered, its histogram how long answers took.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.api_server import durations, quantile
from bench.population import (
    PLATFORM,
    SHARED,
    Size,
    churn_pods,
    create_pods,
    create_policies,
    edit_provider,
)
from bench.process import Server
from bench.throughput import redis_server
from penstock_operator.cluster import Cluster, connect
from penstock_operator.cluster.client import NAMESPACES
from penstock_operator.handlers.reconciler import LATER_SECONDS
from tests.cluster.control_plane import binaries
from tests.cluster.objects import install_definitions
from tests.cluster.own_plane import Entry, OwnPlane, own_plane
from tests.cluster.processes import Process, operator_environment, running

OPERATOR: Final = "operator"
OWN: Final = "penstock-system"
LIMIT_SECONDS: Final = 600
QUIET_SECONDS: Final = LATER_SECONDS + 2
"""Without a write: longer than the operator ever waits by itself."""
POLL_SECONDS: Final = 0.2
SHARE: Final = 0.99
HEADER: Final = (
    "step", "ConfigMaps", "last after s", "touches", "last after s", "touches/s",
    "API server p99 ms", "operator MiB",
)  # fmt: skip


Expected = Mapping[str, int]
"""Resource to the number of its objects that the operator will write at least."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done, and all that the operator did until it had nothing left to do."""

    name: str
    began: datetime
    calls: tuple[Entry, ...]
    """The operator's, those about its Lease apart."""
    p99_seconds: float
    """Of the API server's answers to all its callers: an upper bound."""
    rss_mib: float
    """The operator's, in the end."""

    def written(self, resource: str) -> Counter[tuple[str, str]]:
        """How often each object was written."""
        return Counter((e.namespace, e.name) for e in self._writes(resource))

    def seconds(self, resource: str) -> float:
        """From the beginning until the last write was answered; 0 where there was none."""
        answered = [entry.answered_at for entry in self._writes(resource)]
        return (max(answered) - self.began).total_seconds() if answered else 0.0

    def rate(self, resource: str) -> float:
        """Writes a second, from the first to the last."""
        writes = self._writes(resource)
        if len(writes) < 2:
            return 0.0
        took = max(e.answered_at for e in writes) - min(e.came_at for e in writes)
        return len(writes) / took.total_seconds()

    def _writes(self, resource: str) -> list[Entry]:
        return [entry for entry in self.calls if entry.writes and entry.resource == resource]


class Stage:
    """An operator at work, seen from the API server."""

    def __init__(self, cluster: Cluster, plane: OwnPlane, process: Process) -> None:
        self.cluster = cluster
        self._plane = plane
        self._audit = plane.audit()
        self._process = process

    async def step(self, name: str, do: Awaitable[object], expected: Expected) -> Step:
        """Does it, waits for what is expected, and then until nothing is written any more."""
        self._audit.news()
        before, began = await durations(self._plane.kubeconfig), datetime.now(UTC)
        await do
        calls = await self._settled(expected)
        after = await durations(self._plane.kubeconfig)
        return Step(name, began, tuple(calls), quantile(before, after, SHARE), self._rss_mib())

    async def _settled(self, expected: Expected) -> list[Entry]:
        calls: list[Entry] = []
        async with asyncio.timeout(LIMIT_SECONDS):
            while True:
                await asyncio.sleep(POLL_SECONDS)
                calls += [e for e in self._audit.news() if _counts(e)]
                if self._process.popen.poll() is not None:
                    msg = f"the operator ended: {self._process.log[-2000:]}"
                    raise RuntimeError(msg)
                if _quiet(calls) and _there(calls, expected):
                    return calls

    def _rss_mib(self) -> float:
        return Server(self._process.popen.pid, 0).rss_mib()


def _counts(entry: Entry) -> bool:
    return entry.user == OPERATOR and entry.resource != "leases"


def _quiet(calls: Sequence[Entry]) -> bool:
    last = max((entry.answered_at for entry in calls if entry.writes), default=None)
    return last is None or (datetime.now(UTC) - last).total_seconds() > QUIET_SECONDS


def _there(calls: Sequence[Entry], expected: Expected) -> bool:
    found = {(e.resource, e.namespace, e.name) for e in calls if e.writes}
    counts = Counter(resource for resource, _, _ in found)
    return all(counts[resource] >= count for resource, count in expected.items())


@asynccontextmanager
async def staged(folder: Path, size: Size) -> AsyncIterator[tuple[Stage, Step]]:
    """An operator that has just been started before these policies, and what that took."""
    assets = binaries()
    if assets is None:
        msg = "no kube-apiserver: run `make envtest` and set KUBEBUILDER_ASSETS as it says"
        raise RuntimeError(msg)
    with own_plane(assets, folder, users=[OPERATOR]) as plane:
        async with connect(plane.kubeconfig) as cluster, redis_server() as redis:
            await install_definitions(cluster)
            await cluster.create(NAMESPACES, {"metadata": {"name": OWN}})
            await create_policies(cluster, size)
            environment = operator_environment(
                plane.kubeconfig_of(OPERATOR),
                OWN,
                provider_namespaces=PLATFORM,
                redis_url=f"redis://127.0.0.1:{redis.port}",
                redis_password="",
            )
            with running(folder / "operator.log", environment) as process:
                stage = Stage(cluster, plane, process)
                pairs = {"configmaps": size.namespaces, "secrets": size.namespaces}
                yield stage, await stage.step("start", asyncio.sleep(0), pairs)


async def operator_steps(folder: Path, size: Size) -> list[Step]:
    """A start, the shared provider edited without and with pods, and the pods' coming."""
    fed = size.fed_by_shared
    async with staged(folder, size) as (stage, start):
        edit = edit_provider(stage.cluster, SHARED, 1)
        alone = await stage.step("provider edited", edit, {"configmaps": len(fed)})
        pods = await stage.step("pods created", create_pods(stage.cluster, size), {})
        touched = {"configmaps": len(fed), "pods": size.pods * len(fed) // size.namespaces}
        edit = edit_provider(stage.cluster, SHARED, 2)
        told = await stage.step("provider edited, pods", edit, touched)
        churned = await stage.step("pods came and went", churn_pods(stage.cluster, size), {})
        return [start, alone, pods, told, churned]


def operator_table(steps: Sequence[Step]) -> str:
    """Markdown: a line for each step, then the operator's calls in each."""
    lines = [f"| {' | '.join(HEADER)} |", "|---" + "|---:" * (len(HEADER) - 1) + "|"]
    lines += [f"| {' | '.join(_cells(step))} |" for step in steps]
    return "\n".join([*lines, "", *(_calls(step) for step in steps)])


def _cells(step: Step) -> tuple[str, ...]:
    return (
        step.name,
        str(step.written("configmaps").total()),
        f"{step.seconds('configmaps'):.1f}",
        str(step.written("pods").total()),
        f"{step.seconds('pods'):.1f}",
        f"{step.rate('pods'):.0f}",
        f"<= {step.p99_seconds * 1000:.0f}",
        f"{step.rss_mib:.0f}",
    )


def _calls(step: Step) -> str:
    counts = Counter(f"{entry.verb} {entry.resource}" for entry in step.calls)
    found = ", ".join(f"{count} x {call}" for call, count in counts.most_common())
    return f"- {step.name}: {sum(counts.values())} calls ({found})"
