"""`penstock cache purge`, against what a sidecar answers."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from tests.cli.conftest import Penstock


@dataclass(slots=True)
class FakeSidecar:
    """Answers `DELETE /v1/cache` as a sidecar does, and notes what it was asked."""

    url: str = ""
    status: int = 200
    asked: list[tuple[dict[str, str], str | None]] = field(default_factory=list)

    async def remove(self, request: web.Request) -> web.Response:
        self.asked.append((dict(request.query), request.headers.get("x-penstock-user")))
        if self.status != 200:
            return web.json_response({"error": {"message": "Redis is away"}}, status=self.status)
        return web.json_response({"object": "cache.removal", "removed": 3})


@pytest.fixture
def sidecar() -> Iterator[FakeSidecar]:
    """On a loop of its own: the command runs one itself."""
    fake, loop, ready = FakeSidecar(), asyncio.new_event_loop(), threading.Event()

    async def serve() -> web.AppRunner:
        app = web.Application()
        app.router.add_delete("/v1/cache", fake.remove)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        return runner

    runner = loop.run_until_complete(serve())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    assert ready.is_set()
    yield fake
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(runner.cleanup())
    loop.close()


@pytest.mark.parametrize(
    ("options", "query"),
    [
        (("--id", "0a1b"), {"id": "0a1b"}),
        (("--model", "small"), {"model": "small"}),
        (("--all",), {"all": "true"}),
        (("--similar", "a question", "--least", "0.8"), {"similar": "a question", "least": "0.8"}),
    ],
)
def test_it_asks_for_what_is_named(
    penstock: Penstock, sidecar: FakeSidecar, options: tuple[str, ...], query: dict[str, str]
) -> None:
    ended = penstock("cache", "purge", "--sidecar", sidecar.url, *options)
    assert (ended.code, ended.out) == (0, "3 answers removed\n")
    assert sidecar.asked == [(query, None)]


def test_a_users_own_are_removed_in_his_name(penstock: Penstock, sidecar: FakeSidecar) -> None:
    ended = penstock("cache", "purge", "--sidecar", sidecar.url, "--all", "--user", "ann", "--json")
    assert json.loads(ended.out) == {"removed": 3}
    assert sidecar.asked == [({"all": "true"}, "ann")]


@pytest.mark.parametrize(
    "options", [(), ("--all", "--id", "a"), ("--least", "0.5"), ("--all", "--least", "0.5")]
)
def test_without_exactly_one_thing_to_remove_nothing_is_asked(
    penstock: Penstock, sidecar: FakeSidecar, options: tuple[str, ...]
) -> None:
    ended = penstock("cache", "purge", "--sidecar", sidecar.url, *options)
    assert ended.code == 2
    assert "one of --id, --model, --similar and --all" in ended.err
    assert sidecar.asked == []


def test_a_refusal_is_told_with_its_reason(penstock: Penstock, sidecar: FakeSidecar) -> None:
    sidecar.status = 503
    ended = penstock("cache", "purge", "--sidecar", sidecar.url, "--all")
    assert ended.code == 1
    assert "Redis is away" in ended.err


def test_nobody_there_is_told_so(penstock: Penstock) -> None:
    ended = penstock("cache", "purge", "--sidecar", "http://127.0.0.1:1", "--all")
    assert ended.code == 1
    assert "no sidecar answers at http://127.0.0.1:1" in ended.err
