"""`penstock up`: a whole sidecar on this machine, asked over HTTP."""

import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from penstock_cli.client import Client, Told
from penstock_cli.embedded_redis import embedded_redis
from penstock_cli.stub import Ok, StubProvider
from penstock_cli.up import redis_at
from tests.cli.resources import POLICY, write
from tests.cli.running import Running, gone, left_behind, running

URL = r"Applications +(http://\S+)"


@asynccontextmanager
async def _up(folder: Path, *options: str, secret: str | None = None) -> AsyncIterator[Running]:
    async with StubProvider(default=Ok("Flour.")) as mill:
        source = folder / "in"
        source.mkdir()
        given = {} if secret is None else {"secret": ""}
        write(source, url=f"{mill.url}/v1", **given)
        environment = {"PENSTOCK_SECRET_MILL_KEY_API_KEY": secret or ""}
        async with running(
            folder, "up", "-f", source, "--port", "0", *options, environment=environment
        ) as up:
            yield up


async def _ask(up: Running, model: str = "fast") -> Told:
    found = re.search(URL, up.out)
    assert found
    async with aiohttp.ClientSession() as session:
        return await Client(session).ask(found[1], model, "What do you grind?")


async def test_it_serves_what_the_files_say(tmp_path: Path) -> None:
    async with _up(tmp_path) as up:
        await up.says("Ctrl-C ends it")
        answer = await _ask(up)
        assert (answer.status, answer.text) == (200, "Flour.")
        for text in (
            "fast, grind, auto",
            "shop/front",
            "app=web",
            "/v1 for OpenAI's clients",
            "for Anthropic's and Ollama's",
            "curl http://127.0.0.1:",
            '"model": "auto"',
        ):
            assert text in up.out
        assert "sidecar.started" in up.err


async def test_it_follows_the_files_and_keeps_the_last_good_ones(tmp_path: Path) -> None:
    async with _up(tmp_path) as up:
        await up.says("Ctrl-C ends it")
        (tmp_path / "in" / "policy.yaml").write_text("spec: [")
        await up.says("Not taken: the last good one stays")
        assert (await _ask(up)).served
        (tmp_path / "in" / "policy.yaml").write_text(POLICY)
        await up.says("Taken; the sidecar follows")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_all_of_it(tmp_path: Path, number: signal.Signals) -> None:
    async with _up(tmp_path) as up:
        await up.says("Ctrl-C ends it")
        handles = up.children()
        assert len(handles) == 2
        assert await up.ends(number) == 0
        assert gone(handles)
        assert "Ended." in up.out
        assert left_behind(tmp_path) == []


async def test_killed_it_leaves_no_process_behind(tmp_path: Path) -> None:
    async with _up(tmp_path) as up:
        await up.says("Ctrl-C ends it")
        handles = up.children()
        await up.ends(signal.SIGKILL)
        assert gone(handles)


async def test_a_secret_may_come_from_the_environment(tmp_path: Path) -> None:
    async with _up(tmp_path, secret="open sesame") as up:
        await up.says("Ctrl-C ends it")
        assert (await _ask(up)).served
        assert "sesame" not in up.out + up.err


async def test_two_of_them_share_a_redis_that_is_given(tmp_path: Path) -> None:
    """The fifth request of a user is the last, whichever of the two is asked."""
    for name in ("redis", "a", "b"):
        (tmp_path / name).mkdir()
    async with embedded_redis(tmp_path / "redis") as redis:
        url = redis.url.replace("//", f"//:{redis.password}@")
        async with (
            _up(tmp_path / "a", "--redis-url", url) as first,
            _up(tmp_path / "b", "--redis-url", url) as second,
        ):
            for up in (first, second):
                await up.says("Ctrl-C ends it")
                assert len(up.children()) == 1
            answers = [await _ask(up) for _ in range(3) for up in (first, second)]
    assert [a.status for a in answers] == [200] * 5 + [429]


async def test_a_port_that_is_taken_is_said_so(tmp_path: Path) -> None:
    async with StubProvider() as other:
        port = other.url.rpartition(":")[2]
        async with running(tmp_path, "up", "-f", write(tmp_path), "--port", port) as up:
            assert await up.process.wait() == 1
            assert f"cannot listen on 127.0.0.1 port {port}" in up.err
            assert "choose another with --port" in up.err


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost"])
async def test_an_address_that_is_no_redis_is_wrong_usage(tmp_path: Path, url: str) -> None:
    async with running(tmp_path, "up", "-f", write(tmp_path), "--redis-url", url) as up:
        assert await up.process.wait() == 2
        assert "write redis://" in up.err


async def test_user_and_password_of_an_address_go_beside_it(tmp_path: Path) -> None:
    async with redis_at("rediss://me:p%40ss@cache.example.com:6380/1", tmp_path) as found:
        assert found.url == "rediss://cache.example.com:6380/1"
        assert (found.username, found.password) == ("me", "p@ss")
