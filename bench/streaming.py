"""What a sidecar adds to streams: until the first piece, and to each, against a direct connection.

Both ways are measured in turn in the same run, many streams at once. The sidecar has core 0 to
itself; provider and callers share the other. Beside it a bare proxy of the same server and client
is measured, which does nothing: the floor.
"""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from bench.penstock import MODEL, On, configuration, sidecar
from bench.process import Server, free_port, running
from bench.stream_source import EVERY_SECONDS, PIECES
from bench.throughput import OTHER_CORE, PROXY_CORE, redis_server

STREAMS: Final = 50
ROUNDS: Final = 5
APART_SECONDS: Final = EVERY_SECONDS * 1.618
SENT_AT: Final = re.compile(rb'"content":"(\d+) "')
ASKED: Final = count()
EXPECTED_CHUNKS: Final = PIECES + 2
"""The pieces, the finish, `[DONE]`."""


@dataclass(slots=True)
class Delays:
    """In milliseconds. `merged` counts pieces that came in a chunk with others."""

    first: list[float] = field(default_factory=list)
    each: list[float] = field(default_factory=list)
    merged: int = 0

    def add(self, other: "Delays") -> None:
        self.first += other.first
        self.each += other.each
        self.merged += other.merged


@dataclass(frozen=True, slots=True)
class Compared:
    """One subject and its direct connections, of the same rounds."""

    subject: str
    direct: Delays
    through: Delays


async def streaming(
    folder: Path, subjects: Sequence[On], streams: int, rounds: int
) -> list[Compared]:
    """The floor and each subject in turn, before the same provider."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {OTHER_CORE})
    port = free_port()
    command = [sys.executable, "-m", "bench.stream_source", str(port)]
    found = []
    async with running(command, port, core=OTHER_CORE) as source, redis_server() as redis:
        async with _bare_proxy(source) as server:
            found.append(await _compared("bare proxy", source, server, streams, rounds))
        for on in subjects:
            config = configuration(source.port, on)
            async with sidecar(folder / f"streaming-{on}", config, redis, PROXY_CORE) as server:
                found.append(await _compared(f"sidecar, {on} on", source, server, streams, rounds))
    return found


def _bare_proxy(source: Server) -> AbstractAsyncContextManager[Server]:
    port = free_port()
    command = [sys.executable, "-m", "bench.bare_proxy", str(port), str(source.port)]
    return running(command, port, core=PROXY_CORE)


async def _compared(
    subject: str, source: Server, server: Server, streams: int, rounds: int
) -> Compared:
    direct, through = Delays(), Delays()
    await _round(server, streams)  # the first of everything is another matter
    for _ in range(rounds):
        direct.add(await _round(source, streams))
        through.add(await _round(server, streams))
    return Compared(subject, direct, through)


async def _round(server: Server, streams: int) -> Delays:
    """All streams at once, each on a connection of its own. They begin one after the other, out of
    step with the pieces: else all pieces of a moment would queue, and that would be measured."""
    total = Delays()
    streaming = (_stream(server.port, number * APART_SECONDS) for number in range(streams))
    for one in await asyncio.gather(*streaming):
        total.add(one)
    return total


async def _stream(port: int, after_seconds: float) -> Delays:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)  # as clients' pools have them
    await asyncio.sleep(after_seconds)
    delays, chunks = Delays(), 0
    request = _request(next(ASKED))
    began = time.monotonic_ns()
    writer.write(request)
    await reader.readuntil(b"\r\n\r\n")
    while size := int(await reader.readuntil(b"\r\n"), 16):
        chunk = await reader.readexactly(size + 2)
        now = time.monotonic_ns()
        chunks += 1
        sent = [int(at) for at in SENT_AT.findall(chunk)]
        delays.merged += max(0, len(sent) - 1)
        delays.each += [(now - at) / 1e6 for at in sent]
        if not delays.first and sent:
            delays.first.append((now - began) / 1e6)
    writer.close()
    if len(delays.each) != PIECES or chunks > EXPECTED_CHUNKS:
        msg = f"{len(delays.each)} of {PIECES} pieces came, in {chunks} chunks"
        raise RuntimeError(msg)
    return delays


def _request(number: int) -> bytes:
    """Each asks something else: whoever asks the same would wait for the first one's answer."""
    content = f"Is the sluice open? {number}"
    document = {
        "model": MODEL,
        "stream": True,
        "max_tokens": 300,
        "messages": [{"role": "user", "content": content}],
    }
    body = json.dumps(document).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def streaming_table(found: Sequence[Compared]) -> str:
    """Markdown; what is added is the difference of the percentiles."""
    lines = [
        "| subject | | direct p50 ms | p99 | through p50 | p99 | added p50 | p99 | merged |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in found:
        for what, direct, through in (
            ("first piece", one.direct.first, one.through.first),
            ("each piece", one.direct.each, one.through.each),
        ):
            pairs = [(_percentile(direct, p), _percentile(through, p)) for p in (50, 99)]
            cells = [f"{value:.2f}" for way in zip(*pairs, strict=True) for value in way]
            cells += [f"{after - before:.3f}" for before, after in pairs]
            lines.append(f"| {one.subject} | {what} | {' | '.join(cells)} | {one.through.merged} |")
    return "\n".join(lines)


def _percentile(values: Sequence[float], percent: int) -> float:
    return sorted(values)[len(values) * percent // 100]
