"""Many policies and pods: what is written, how often, and what the operator remembers of it.

The full size, with times, is `python -m bench operator`.
"""

from collections import Counter
from pathlib import Path

import pytest

from bench.operator import Stage, Step, staged
from bench.population import SHARED, Size, churn_pods, create_pods, edit_provider
from tests.cluster.control_plane import required_binaries

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
SIZE = Size(namespaces=20, policies=100, pods=240)
FEW = Size(namespaces=2, policies=4, churned=1000)
STATUSES = 3
"""Of one change: its conditions, that sidecars are behind, and that they are not any more."""
MIB_PER_POD = 0.05
"""What a pod may cost the operator; 5,000 would be 250 MiB then."""
ROOM_MIB = 24
"""What memory may grow by for any reason, as an allocator that does not give back."""


@pytest.fixture(autouse=True)
def _binaries() -> None:
    required_binaries()


def once(names: frozenset[str] | list[str]) -> dict[tuple[str, str], int]:
    return dict.fromkeys(((namespace, "penstock-config") for namespace in names), 1)


async def test_what_changes_is_written_once_and_nothing_else_at_all(tmp_path: Path) -> None:
    async with staged(tmp_path, SIZE) as (stage, start):
        await live_through_changes(stage, start)


async def live_through_changes(at_work: Stage, start: Step) -> None:
    fed = SIZE.fed_by_shared
    assert start.written("configmaps") == once(SIZE.names)
    assert len(start.written("routepolicies/status")) == SIZE.policies
    assert max(start.written("routepolicies/status").values()) <= STATUSES

    edit = edit_provider(at_work.cluster, SHARED, 1)
    shared = await at_work.step("shared edited", edit, {"configmaps": len(fed)})
    assert shared.written("configmaps") == once(fed)
    assert shared.written("secrets").total() == 0
    assert max(shared.written("routepolicies/status").values(), default=0) <= STATUSES

    pods = await at_work.step("pods", create_pods(at_work.cluster, SIZE), {"configmaps": 1})
    changes = Counter(namespace for namespace, _ in pods.written("configmaps").elements())
    for (namespace, name), touches in pods.written("pods").items():
        assert touches <= 1 + changes[namespace], f"{namespace}/{name}"
    assert pods.rss_mib - shared.rss_mib <= ROOM_MIB + MIB_PER_POD * SIZE.pods

    touched = SIZE.pods * len(fed) // SIZE.namespaces
    edit = edit_provider(at_work.cluster, SHARED, 2)
    again = await at_work.step("edited", edit, {"configmaps": len(fed), "pods": touched})
    assert again.written("configmaps") == once(fed)
    assert again.written("pods").total() == touched
    assert {namespace for namespace, _ in again.written("pods")} == fed
    assert max(again.written("pods").values()) == 1, "both files of a namespace in one touch"
    assert again.rss_mib - pods.rss_mib <= ROOM_MIB


async def test_pods_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    """The first time, room is made for as many as there are at once, and for their handlers."""
    async with staged(tmp_path, FEW) as (stage, _):
        first = await stage.step("first", churn_pods(stage.cluster, FEW), {})
        again = await stage.step("again", churn_pods(stage.cluster, FEW), {})
    assert again.rss_mib - first.rss_mib <= MIB_PER_POD * FEW.churned / 10
    assert again.written("configmaps").total() == 0, "no policy is for them"
