"""Two replicas of the operator against a real API server: one active, one standing by."""

from pathlib import Path

import pytest

from penstock_config.codec import decode_config
from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import CONFIG_MAPS, LEASES
from tests.cluster.objects import (
    POLICIES,
    eventually,
    new_namespace,
    policy,
    put,
    put_all,
    unused_name,
    with_definitions,
)
from tests.cluster.processes import Process, operator_environment, running

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
TAKE_OVER_SECONDS = 20


@pytest.fixture(scope="module")
def server(kubeconfig: Path) -> Path:
    return with_definitions(kubeconfig)


async def holder(cluster: Cluster, namespace: str) -> str:
    lease = await cluster.get(LEASES, "penstock-operator", namespace)
    return str(lease["spec"].get("holderIdentity") or "")


async def leads(cluster: Cluster, namespace: str, process: Process) -> bool:
    return (await holder(cluster, namespace)).endswith(f"_{process.popen.pid}")


async def published(cluster: Cluster, namespace: str, name: str) -> bool:
    found = await cluster.get(CONFIG_MAPS, "penstock-config", namespace)
    config = decode_config(found["data"]["config.v2.json"].encode())
    return f"{namespace}/{name}" in {each.id for each in config.policies}


async def test_a_killed_leader_is_replaced_by_the_replica_that_stood_by(
    cluster: Cluster, kubeconfig: Path, tmp_path: Path
) -> None:
    own = unused_name()
    environment = operator_environment(kubeconfig, own)
    async with new_namespace(cluster, own), new_namespace(cluster) as home:
        with running(tmp_path / "first", environment) as first:
            await eventually(lambda: leads(cluster, own, first))
            with running(tmp_path / "second", environment) as second:
                await put_all(cluster, home)
                await eventually(lambda: published(cluster, home, "app"))
                await eventually(lambda: _stands_by(second))
                assert second.events("publish.done") == []
                first.kill()
                await put(cluster, POLICIES, policy(home, "later"))
                await eventually(lambda: leads(cluster, own, second), TAKE_OVER_SECONDS)
                await eventually(lambda: published(cluster, home, "later"))
                assert second.stop() == 0


async def test_a_leader_that_is_stopped_hands_over_at_once(
    cluster: Cluster, kubeconfig: Path, tmp_path: Path
) -> None:
    own = unused_name()
    environment = operator_environment(kubeconfig, own)
    async with new_namespace(cluster, own):
        with running(tmp_path / "log", environment) as first:
            await eventually(lambda: leads(cluster, own, first))
            assert first.stop() == 0
        assert await holder(cluster, own) == ""
        assert [event["level"] for event in first.events("leader.released")] == ["info"]


async def test_a_leader_whose_lease_was_taken_ends_itself(
    cluster: Cluster, kubeconfig: Path, tmp_path: Path
) -> None:
    own = unused_name()
    async with new_namespace(cluster, own):
        with running(tmp_path / "log", operator_environment(kubeconfig, own)) as process:
            await eventually(lambda: leads(cluster, own, process))

            async def taken() -> bool:
                lease = await cluster.get(LEASES, "penstock-operator", own)
                lease["spec"]["holderIdentity"] = "somebody-else"
                await cluster.replace(LEASES, lease)
                return True

            await eventually(taken)

            async def ended() -> bool:
                return process.popen.poll() is not None

            assert await eventually(ended)
            assert process.popen.returncode == 1
            assert "LeaseLost" in process.events("process.failed")[0]["error"]
            assert await holder(cluster, own) == "somebody-else"


async def _stands_by(process: Process) -> bool:
    """It has asked for the Lease at least once, or it would not be past its first steps."""
    return bool(process.events("cluster.reached"))
