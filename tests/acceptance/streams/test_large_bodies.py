"""Ten megabytes of pictures, as they are or compressed: read, sent on, and in nobody's way."""

import asyncio
import gzip
import json
import sys
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from random import Random
from typing import Final

import pytest

from penstock_cli.stub import Ok, StubProvider
from tests.acceptance.fleet import Fleet, config, fleet
from tests.acceptance.metered.world import until
from tests.acceptance.streams.providers import KINDS
from tests.acceptance.test_at12_disconnects import PROBES, p99, probing
from tests.sidecar.http.edge import exchange, head

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LARGE_BYTES: Final = 10 * 2**20 - 4096
"""Just within what a sidecar reads."""
AT_ONCE, ROUNDS = 2, 3
PROBE_SECONDS: Final = 0.25
"""A quiet machine has 0.03: orjson and the socket hold the loop for so long, in one piece."""
CODINGS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "identity": lambda body: body,
    "gzip": lambda body: gzip.compress(body, 1),
    "deflate": lambda body: zlib.compress(body, 1),
    "zstd": zstd.compress,
}


def with_picture() -> bytes:
    """Of noise, as a compressed picture is."""
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}},
    ]
    document = {"model": "openai", "messages": [{"role": "user", "content": parts}]}
    empty, sure = json.dumps(document).encode(), Random(5)
    noise = sure.randbytes(LARGE_BYTES // 2).hex()[: (LARGE_BYTES - len(empty)) // 4 * 4]
    return empty.replace(b"base64,", b"base64," + noise.encode())


@pytest.fixture
async def fake() -> AsyncIterator[StubProvider]:
    async with StubProvider(default=Ok(text="a sluice")) as provider:
        yield provider


@pytest.fixture
async def alone(tmp_path: Path, redis_url: str, fake: StubProvider) -> AsyncIterator[Fleet]:
    """One sidecar's process."""
    with fleet(tmp_path, redis_url, size=1) as running:
        one = KINDS[0].configured(fake, "openai")
        able = {"name": "small", "capabilities": ("chat", "vision"), "context_window": 10**8}
        model = one.models[0].model_copy(update=able)
        await running.publish(config(one.model_copy(update={"models": (model,)})))
        yield running


async def ask(port: int, body: bytes, coding: str) -> None:
    fields = {} if coding == "identity" else {"content_encoding": coding}
    request = head(content_length=str(len(body)), **fields) + body
    response = await exchange(port, request)
    assert response.status == 200, response.body


@pytest.mark.parametrize("coding", CODINGS)
async def test_probes_and_others_are_served_while_large_bodies_come(
    alone: Fleet, fake: StubProvider, coding: str
) -> None:
    plain = with_picture()
    packed, ports = CODINGS[coding](plain), alone.sidecars[0].ports
    with probing(ports.probe) as at_rest:
        await until(lambda: len(at_rest) >= PROBES)
    with probing(ports.probe) as in_use:
        for _ in range(ROUNDS):
            asked = (ask(ports.application, packed, coding) for _ in range(AT_ONCE))
            await asyncio.gather(*asked)
        await until(lambda: len(in_use) >= PROBES // 4)
    document = json.loads(plain)
    assert len(plain) > 0.99 * LARGE_BYTES
    assert len(fake.requests) == ROUNDS * AT_ONCE
    assert all(seen.body["messages"] == document["messages"] for seen in fake.requests)
    assert p99(in_use) <= max(PROBE_SECONDS, 20 * p99(at_rest))
