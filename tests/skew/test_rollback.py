"""The operator of the version before comes back, and goes again, against a real API server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest

from penstock_config.codec import decode_config, digest
from penstock_config.older import OLDER_VERSION, as_version_1
from penstock_operator.cluster import Cluster, NotFound, connect
from penstock_operator.cluster.client import CONFIG_MAPS, Document
from tests.cluster.control_plane import required_binaries
from tests.cluster.objects import (
    POLICIES,
    config_map,
    delete,
    eventually,
    install_definitions,
    new_namespace,
    policy,
    put,
    put_all,
    unused_name,
)
from tests.cluster.own_plane import own_plane
from tests.cluster.processes import Process, operator_environment, running
from tests.skew.mixed import NEWEST, OLDER

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
ANNOTATION: Final = "penstock.dev/digest"
RULE: Final = {"name": "seen", "match": {"modalities": ["image"]}, "tier": {"name": "fast"}}


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    """Of a server of its own: nobody else's operator writes there."""
    folder = tmp_path / "plane"
    folder.mkdir()
    with own_plane(required_binaries(), folder) as plane:
        yield plane.kubeconfig


@pytest.fixture
async def cluster(kubeconfig: Path) -> AsyncIterator[Cluster]:
    async with connect(kubeconfig) as found:
        await install_definitions(found)
        yield found


async def files(cluster: Cluster, namespace: str, *names: str) -> dict[str, bytes]:
    """The ConfigMap's, once they are those."""

    async def are_there() -> Document:
        found = await config_map(cluster, namespace)
        assert sorted(found["data"]) == sorted(names)
        newest = found["data"][max(names)].encode()
        assert found["metadata"]["annotations"][ANNOTATION] == digest(newest)
        return found

    data = (await eventually(are_there))["data"]
    return {name: text.encode() for name, text in data.items()}


async def ended(process: Process) -> None:
    assert process.stop() == 0, process.log
    assert process.events("process.failed") == []


async def test_an_operator_that_is_rolled_back_takes_the_newer_file_away(
    cluster: Cluster, kubeconfig: Path, code: Path, tmp_path: Path
) -> None:
    """Both own what they apply under one name, so that no file is left that nobody keeps current;
    and each writes what it finds of the other anew at once."""
    own = unused_name()
    present = operator_environment(kubeconfig, own)
    before = {**present, "PYTHONPATH": str(code)}
    async with new_namespace(cluster, own), new_namespace(cluster) as home:
        await put_all(cluster, home)
        await put(cluster, POLICIES, policy(home, rules=[RULE]))
        with running(tmp_path / "present", present) as process:
            both = await files(cluster, home, OLDER, NEWEST)
            config = decode_config(both[NEWEST])
            assert config.policies[0].rules[0].match.modalities == ("image",)
            assert both[OLDER] == as_version_1(config).data
            await ended(process)
        with running(tmp_path / "before", before) as process:
            alone = await files(cluster, home, OLDER)
            assert decode_config(alone[OLDER], OLDER_VERSION).policies[0].rules == ()
            await ended(process)
        with running(tmp_path / "again", present) as process:
            assert await files(cluster, home, OLDER, NEWEST) == both
            await delete(cluster, POLICIES, "app", home)

            async def gone() -> bool:
                try:
                    await cluster.get(CONFIG_MAPS, "penstock-config", home)
                except NotFound:
                    return True
                return False

            assert await eventually(gone)
            await ended(process)
