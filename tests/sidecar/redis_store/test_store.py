"""Redis away, back, slow, strange: always in time, always `StoreUnavailable`."""

import asyncio
import hashlib
import logging
import os
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from penstock_config.codec import ConfigError
from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store import RedisStore, connect
from penstock_sidecar.redis_store.address import parse
from penstock_sidecar.redis_store.breaker import Breaker
from penstock_sidecar.store import Script, StoreUnavailable
from tests.conftest import running_redis
from tests.servers import any_server
from tests.servers.server import Server, running

PATIENCE_SECONDS = 5
"""Machines that run tests are busy; one test below is about the deadline."""
TEXT = "return {KEYS[1], ARGV[1]}"
SCRIPT = Script("echo", TEXT, hashlib.sha1(TEXT.encode(), usedforsecurity=False).hexdigest())


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[RedisStore]:
    opened = await connect(RedisAccess(url=redis_url), deadline_seconds=PATIENCE_SECONDS)
    yield opened
    await opened.close()


async def until(condition: Callable[[], bool]) -> None:
    """Bounded by the test's own time-out."""
    while True:
        if condition():
            return
        await asyncio.sleep(0.01)


async def test_scripts_run_and_are_loaded_again_when_they_are_lost(
    store: RedisStore, redis_url: str
) -> None:
    assert await store.script(SCRIPT, ("k",), ("a",)) == [b"k", b"a"]
    with redis.Redis.from_url(redis_url) as other:
        other.script_flush()
        other.config_resetstat()
        replies = await asyncio.gather(*(store.script(SCRIPT, ("k",), (i,)) for i in range(20)))
        assert replies == [[b"k", str(i).encode()] for i in range(20)]
        stats = other.info("commandstats")
        loads = [v["calls"] for name, v in stats.items() if name.startswith("cmdstat_script")]
        assert loads == [1]


async def test_an_error_of_redis_is_unavailability(store: RedisStore) -> None:
    await store.command("SET", "key", "text")
    with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
        await store.command("HGET", "key", "field")
    bad = Script("bad", "error('oops')", hashlib.sha1(b"error('oops')").hexdigest())
    with pytest.raises(StoreUnavailable):
        await store.script(bad, (), ())
    assert store.available


async def test_it_starts_without_redis_and_finds_it_later(tmp_path: Path) -> None:
    server = Server(any_server(), tmp_path, ("--save", ""))
    store = await connect(RedisAccess(url=server.url), deadline_seconds=PATIENCE_SECONDS)
    assert not store.available
    with pytest.raises(StoreUnavailable):
        await store.command("PING")
    with running(server):
        await until(lambda: store.available)
        assert await store.command("PING") == b"PONG"
    await until(lambda: not store.available)
    await store.close()


async def test_a_frozen_redis_costs_the_deadline_and_then_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """AT6: three late answers open the breaker; then calls fail at once, with one line of log."""
    caplog.set_level(logging.INFO, logger="penstock_sidecar.redis_store")
    with running_redis(any_server(), tmp_path) as url:
        store = await connect(RedisAccess(url=url))
        pid = await _process_id(store)
        os.kill(pid, signal.SIGSTOP)
        late = [store.command("PING") for _ in range(3)]
        answers = await asyncio.gather(*late, return_exceptions=True)
        assert all(isinstance(answer, StoreUnavailable) for answer in answers)
        assert not store.available
        with pytest.raises(StoreUnavailable):
            await store.command("PING")
        os.kill(pid, signal.SIGCONT)
        await until(lambda: store.available)
        assert await store.command("PING") == b"PONG"
        await store.close()
    assert [record.msg % record.args for record in caplog.records] == [
        "redis.available",
        "redis.away",
        "redis.available",
        "redis.closed",
    ]


async def _process_id(store: RedisStore) -> int:
    info = await store.command("INFO", "server")
    assert isinstance(info, bytes)
    line = next(line for line in info.decode().splitlines() if line.startswith("process_id:"))
    return int(line.partition(":")[2])


async def test_a_lost_connection_is_made_again(store: RedisStore, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as other:
        other.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await until(lambda: not store.available)
    await until(lambda: store.available)
    assert await store.command("PING") == b"PONG"


async def test_every_connection_is_heard_of(redis_url: str) -> None:
    heard: list[str] = []
    opened = await connect(
        RedisAccess(url=redis_url),
        deadline_seconds=PATIENCE_SECONDS,
        on_connected=lambda: heard.append("connected"),
    )
    assert heard == ["connected"]
    with redis.Redis.from_url(redis_url) as other:
        other.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await until(lambda: len(heard) == 2 and opened.available)
    await opened.close()


async def test_it_logs_in_as_a_user_who_may_only_run_loaded_scripts(redis_url: str) -> None:
    """Least privilege: the limiter's needs are `evalsha` and `script load`, never `eval`."""
    access = RedisAccess(
        url=f"{redis_url}/1", username="penstock", password=SecretStr("secret-word")
    )
    with redis.Redis.from_url(redis_url) as admin:
        rules = ["~k*", "+evalsha", "+script|load", "+ping", "+select", ">secret-word", "on"]
        admin.execute_command("ACL", "SETUSER", "penstock", "reset", *rules)
    store = await connect(access, deadline_seconds=PATIENCE_SECONDS)
    assert await store.script(SCRIPT, ("k",), ("a",)) == [b"k", b"a"]
    with pytest.raises(StoreUnavailable, match="NOPERM"):
        await store.command("FLUSHALL")
    await store.close()
    wrong = await connect(access.model_copy(update={"password": SecretStr("other")}))
    assert not wrong.available
    await wrong.close()


async def test_it_speaks_over_a_unix_socket(tmp_path: Path) -> None:
    socket = tmp_path / "redis.sock"
    with running_redis(any_server(), tmp_path, "--unixsocket", str(socket)):
        store = await connect(
            RedisAccess(url=f"unix://{socket}?db=2"), deadline_seconds=PATIENCE_SECONDS
        )
        assert await store.command("PING") == b"PONG"
        await store.close()


def test_three_failures_within_a_second_open_the_breaker() -> None:
    breaker = Breaker()
    assert [breaker.failed(at) for at in (0.0, 0.9, 1.1, 1.5)] == [False, False, False, True]
    breaker.reset()
    assert not breaker.failed(1.6)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("redis://redis.svc", "redis.svc:6379"),
        ("redis://redis.svc:7000/3", "redis.svc:7000"),
        ("unix:///run/redis.sock?db=1", "/run/redis.sock"),
    ],
)
def test_addresses_are_read(url: str, text: str) -> None:
    assert [str(address) for address in parse(RedisAccess(url=url)).addresses] == [text]
    assert parse(RedisAccess(url="redis://h/3")).addresses[0].database == 3
    assert isinstance(parse(RedisAccess(url="rediss://h")).addresses[0].tls, ssl.SSLContext)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://redis", "begins with redis://"),
        ("redis://", "then a host"),
        ("redis", "then a host"),
        ("redis://redis:port", "must be numbers"),
        ("redis://redis/first", "must be numbers"),
        ("unix:///run/redis.sock?db=x", "must be numbers"),
    ],
)
def test_a_strange_address_is_refused_and_says_what_to_change(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse(RedisAccess(url=url))


def test_a_ca_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="PEM"):
        parse(RedisAccess(url="rediss://redis", ca_pem="not a certificate"))
