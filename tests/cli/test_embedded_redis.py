"""A real Redis server: ours alone, and gone when we are."""

import json
import os
import select
import signal
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

import pytest
import redis

from penstock_cli import embedded_redis as module
from penstock_cli.embedded_redis import embedded_redis
from penstock_cli.failure import RedisFailed, RedisMissing
from penstock_operator.compile.snapshot import RedisSettings

PARENT = """
import asyncio, json, sys
from dataclasses import asdict
from pathlib import Path
from penstock_cli.embedded_redis import embedded_redis

async def main():
    async with embedded_redis(Path(sys.argv[1])) as settings:
        print(json.dumps(asdict(settings)), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def _client(settings: RedisSettings, password: str | None) -> redis.Redis:
    return redis.Redis.from_url(settings.url, password=password)


def _command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


async def test_it_serves_who_knows_the_password(tmp_path: Path) -> None:
    async with embedded_redis(tmp_path) as settings:
        with _client(settings, settings.password) as client:
            assert client.ping()
        with _client(settings, None) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()


async def test_it_listens_on_loopback_alone_and_keeps_nothing(tmp_path: Path) -> None:
    async with embedded_redis(tmp_path) as settings:
        with _client(settings, settings.password) as client:
            said = cast(dict[str, str], client.config_get())
    assert (said["bind"], said["save"], said["appendonly"]) == ("127.0.0.1", "", "no")


async def test_it_ends_with_the_block(tmp_path: Path) -> None:
    async with embedded_redis(tmp_path) as settings:
        pass
    with _client(settings, settings.password) as client, pytest.raises(redis.ConnectionError):
        client.ping()


async def test_the_password_is_in_no_command_line_and_no_open_file(tmp_path: Path) -> None:
    async with embedded_redis(tmp_path) as settings:
        with _client(settings, settings.password) as client:
            pid = cast(dict[str, int], client.info("server"))["process_id"]
        assert settings.password
        assert settings.password not in _command_line(pid)
    assert (tmp_path / "redis.conf").stat().st_mode & 0o777 == 0o600
    assert settings.password not in repr(settings)


async def test_several_run_side_by_side(tmp_path: Path) -> None:
    async with AsyncExitStack() as exits:
        urls = set()
        for name in ("a", "b c"):
            folder = tmp_path / name
            folder.mkdir()
            urls.add((await exits.enter_async_context(embedded_redis(folder))).url)
        assert len(urls) == 2


async def test_a_port_that_is_taken_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with embedded_redis(tmp_path) as first:
        taken = int(first.url.rpartition(":")[2].removesuffix("/0"))
        free = module.free_port()
        ports = iter((taken, free))
        monkeypatch.setattr(module, "free_port", lambda: next(ports))
        folder = tmp_path / "second"
        folder.mkdir()
        async with embedded_redis(folder) as second:
            assert second.url == f"redis://127.0.0.1:{free}/0"


async def test_a_server_that_cannot_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text("#!/bin/sh\necho no room on this machine; exit 1\n")
    broken.chmod(0o700)
    monkeypatch.setattr(module, "redis_server", lambda: str(broken))
    with pytest.raises(RedisFailed, match="no room on this machine"):
        async with embedded_redis(tmp_path):
            pass


def test_no_server_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_bundled", lambda: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RedisMissing, match="apt-get install redis-server"):
        module.redis_server()


@pytest.mark.skipif(sys.platform != "linux", reason="the leash is Linux's")
def test_it_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout
        settings = RedisSettings(**json.loads(owner.stdout.readline()))
        with _client(settings, settings.password) as client:
            server = os.pidfd_open(cast(dict[str, int], client.info("server"))["process_id"])
        owner.send_signal(signal.SIGKILL)
    try:
        assert select.select([server], [], [], 30)[0], "the server outlived its owner"
    finally:
        os.close(server)
