"""URLs into clients."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis, RedisCluster

from penstock_operator.environment import SettingsError
from penstock_operator.ledger.address import client_of, hosts_of
from penstock_operator.ledger.store import LedgerAway, opened
from penstock_operator.settings import Settings


def options(url: str, **settings: Any) -> dict[str, Any]:
    client = client_of(Settings(redis_url=url, **settings))
    assert isinstance(client, Redis)
    found: dict[str, Any] = client.connection_pool.connection_kwargs
    return found


@pytest.mark.parametrize(
    ("url", "host", "port", "database"),
    [
        ("redis://books", "books", 6379, 0),
        ("redis://books:7000/3", "books", 7000, 3),
        ("redis://[::1]:7000", "::1", 7000, 0),
        ("rediss://books:7001", "books", 7001, 0),
    ],
)
def test_one_server(url: str, host: str, port: int, database: int) -> None:
    found = options(url)
    assert (found["host"], found["port"], found["db"]) == (host, port, database)


def test_a_socket() -> None:
    found = options("unix:///run/redis%20x.sock?db=2")
    assert (found["path"], found["db"]) == ("/run/redis x.sock", 2)


def test_user_password_and_ca_come_from_the_settings(tmp_path: Path) -> None:
    found = options(
        "rediss://books", redis_username="ledger", redis_password="hush", redis_ca_file=tmp_path
    )
    assert (found["username"], found["password"]) == ("ledger", "hush")
    assert found["ssl_ca_certs"] == str(tmp_path)


@pytest.mark.parametrize("own", [None, "theirs"])
def test_sentinels_are_asked_for_the_master_without_its_password(own: str | None) -> None:
    url = "redis+sentinel://one,two:7000/books/4"
    client = client_of(Settings(redis_url=url, redis_password="hush", redis_sentinel_password=own))
    assert isinstance(client, Redis)
    pool: Any = client.connection_pool
    asked = [s.connection_pool.connection_kwargs for s in pool.sentinel_manager.sentinels]
    assert [(a["host"], a["port"], a["password"]) for a in asked] == [
        ("one", 26379, own),
        ("two", 7000, own),
    ]
    found = pool.connection_kwargs
    assert (pool.service_name, found["password"], found["db"]) == ("books", "hush", 4)


def test_a_cluster_is_found_by_any_of_its_nodes() -> None:
    client = client_of(Settings(redis_url="rediss+cluster://one:7000,[::1]"))
    assert isinstance(client, RedisCluster)
    assert sorted(client.nodes_manager.startup_nodes) == ["::1:6379", "one:7000"]


def test_hosts_are_a_list() -> None:
    assert hosts_of(urlsplit("x://a,b:2,[::1]:3"), 1) == [("a", 1), ("b", 2), ("::1", 3)]


@pytest.mark.parametrize(
    "url",
    ["redis://", "redis://a,b", "redis://a:port", "redis://a/x", "redis+sentinel://a"],
)
def test_what_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="PENSTOCK_REDIS_URL"):
        client_of(Settings(redis_url=url))


async def test_a_server_that_is_not_there_is_away_at_once() -> None:
    async with opened(Settings(redis_url="redis://127.0.0.1:1")) as store:
        with pytest.raises(LedgerAway):
            await store.now()
