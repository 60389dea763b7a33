"""Many policies and pods: what is written, how often, and what the operator remembers of it.

The full size, with times, is `python -m bench operator`.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.operator import Stage, Step, staged
from bench.population import OTHER, SHARED, Size, create_pods, edit_provider
from tests.cluster import control_plane

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
SIZE = Size(namespaces=40, policies=200, pods=480)
MIB_PER_POD = 0.05
"""What a pod may cost the operator; 5,000 would be 250 MiB then."""
ROOM_MIB = 24
"""What memory may grow by for any reason, as an allocator that does not give back."""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[tuple[Stage, Step]]:
    if control_plane.binaries() is None:
        pytest.skip("no etcd and kube-apiserver: run `make envtest`")
    async with staged(tmp_path, SIZE) as found:
        yield found


def once(names: frozenset[str] | list[str]) -> dict[tuple[str, str], int]:
    return dict.fromkeys(((namespace, "penstock-config") for namespace in names), 1)


async def test_what_changes_is_written_once_and_nothing_else_at_all(
    stage: tuple[Stage, Step],
) -> None:
    at_work, start = stage
    fed, others = SIZE.fed_by_shared, frozenset(SIZE.names) - SIZE.fed_by_shared
    assert start.written("configmaps") == once(SIZE.names)
    assert start.written("routepolicies/status").total() == SIZE.policies

    edit = edit_provider(at_work.cluster, SHARED, 1)
    shared = await at_work.step("shared edited", edit, {"configmaps": len(fed)})
    assert shared.written("configmaps") == once(fed)
    assert shared.written("secrets").total() == 0
    assert shared.written("routepolicies/status").total() == 0

    edit = edit_provider(at_work.cluster, OTHER, 1)
    other = await at_work.step("other edited", edit, {"configmaps": len(others)})
    assert other.written("configmaps") == once(others)

    pods = await at_work.step("pods", create_pods(at_work.cluster, SIZE), {"configmaps": 1})
    assert max(pods.written("pods").values(), default=0) <= 2, "a new pod, and its configuration"
    assert pods.rss_mib - other.rss_mib <= ROOM_MIB + MIB_PER_POD * SIZE.pods

    touched = SIZE.pods * len(fed) // SIZE.namespaces
    edit = edit_provider(at_work.cluster, SHARED, 2)
    again = await at_work.step("edited", edit, {"configmaps": len(fed), "pods": touched})
    assert again.written("configmaps") == once(fed)
    assert again.written("pods").total() == touched
    assert {namespace for namespace, _ in again.written("pods")} == fed
    assert max(again.written("pods").values()) == 1, "both files of a namespace in one touch"
    assert again.rss_mib - pods.rss_mib <= ROOM_MIB
