"""A lookup by meaning: what it takes beside the bare model, at several sizes of a partition.

A text that the embedder has not seen costs embedding and search; seen before, the search alone:
their difference is the embedding, each measured by a client over HTTP, one request at a time.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles
from typing import Final
from urllib.parse import urlsplit

from bench.throughput import redis_server
from penstock_config.cache_layout import Shelves
from penstock_config.embedder import NEAREST_PATH
from tests.embedder.process import (
    CLUSTER,
    NONE,
    ROOT,
    EmbedderProcess,
    credentials,
    environment,
    exported,
    interpreter,
    running_embedder,
)
from tests.eval.cache.natural import excerpt
from tests.servers.binaries import any_server

ENTRIES: Final = (0, 10_000, 100_000)
TEXTS: Final = 300
"""Asked at each size, each once new and once known."""
LEAST: Final = 0.85
"""The lowest band of similarity that is reported."""
HEADER: Final = (
    "entries", "how", "model p50 ms", "p95", "new text p50 ms", "p95", "known text p50 ms", "p95",
    "embedding ms", "new / model", "known / model", "load s", "RSS MiB",
)  # fmt: skip
P50, P95 = 9, 18
"""Of twentieths."""
SETTLE_SECONDS: Final = 5.0
"""For sketches, which are made beside the first searches."""
NAMESPACE: Final = "team-a"
SHELF: Final = Shelves.of(CLUSTER, NAMESPACE, "bench", "0a")
Milliseconds = Sequence[float]


@dataclass(frozen=True, slots=True)
class Looked:
    """At one size, in one run."""

    entries: int
    how: str
    load_seconds: float
    """Of the first request, which waits until all vectors are in memory."""
    bare: Milliseconds
    """The model alone, in a process of its own."""
    new: Milliseconds
    known: Milliseconds
    rss_mib: float


async def lookups() -> list[Looked]:
    """One embedder per row, each with an empty memory."""
    python = interpreter()
    if python is None:
        raise SystemExit(NONE)
    texts = [query.text for query in excerpt()]
    rows: list[tuple[int, str, Mapping[str, object]]] = [(n, "as shipped", {}) for n in ENTRIES]
    rows.append((ENTRIES[-1], "without sketches", {"sketch_entries": 10**9}))
    with tempfile.TemporaryDirectory() as folder:
        model = exported(python, Path(folder) / "model")
        async with redis_server(any_server()) as server:
            url = f"redis://127.0.0.1:{server.port}"
            return [_row(python, url, texts, n, how, {**s, "model": model}) for n, how, s in rows]


def semantic_table(rows: Sequence[Looked]) -> str:
    """Markdown; ratios are to the bare model's p50 in the same row."""
    lines = ["| " + " | ".join(HEADER) + " |", "|---:|---" + "|---:" * (len(HEADER) - 2) + "|"]
    return "\n".join([*lines, *map(_line, rows)])


def _line(row: Looked) -> str:
    bare, new, known = (quantiles(x, n=20) for x in (row.bare, row.new, row.known))
    cells = (
        f"{row.entries:,}",
        row.how,
        *(f"{times[at]:.1f}" for times in (bare, new, known) for at in (P50, P95)),
        f"{new[P50] - known[P50]:.1f}",
        f"{new[P50] / bare[P50]:.2f}",
        f"{known[P50] / bare[P50]:.2f}",
        f"{row.load_seconds:.1f}",
        f"{row.rss_mib:.0f}",
    )
    return "| " + " | ".join(cells) + " |"


def _row(
    python: Path, url: str, texts: Sequence[str], entries: int, how: str, more: Mapping[str, object]
) -> Looked:
    partition = f"{entries:x}"
    bare = _fill(python, url, partition, entries, texts)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_embedder(python, url, Path(folder), **more) as embedder,
    ):
        asking = Asking(embedder, partition)
        load_seconds = asking.milliseconds(texts[-1]) / 1000
        settled = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < settled:
            asking.milliseconds(texts[-1])
        new, known = (list(map(asking.milliseconds, texts[TEXTS : 2 * TEXTS])) for _ in range(2))
        rss_mib = embedder.metric("process_resident_memory_bytes") / 2**20
    return Looked(entries, how, load_seconds, bare, new, known, rss_mib)


def _fill(
    python: Path, url: str, partition: str, entries: int, texts: Sequence[str]
) -> Milliseconds:
    command = (python, "-m", "bench.semantic_vectors", url, SHELF.prefix, partition, str(entries))
    done = subprocess.run(
        command,
        input=json.dumps(texts),
        env={**environment(), "OMP_NUM_THREADS": "1"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: list[float] = json.loads(done.stdout)
    return found


class Asking:
    """One connection of one sidecar."""

    def __init__(self, embedder: EmbedderProcess, partition: str) -> None:
        self._connection = HTTPConnection(urlsplit(embedder.url).netloc)
        self._partition = partition

    def milliseconds(self, text: str) -> float:
        """From the question to the whole answer."""
        body = {"shelf": SHELF.prefix, "partition": self._partition, "text": text, "least": LEAST}
        began = time.perf_counter()
        self._connection.request(
            "POST", NEAREST_PATH, json.dumps(body), dict(credentials(NAMESPACE))
        )
        response = self._connection.getresponse()
        answer = response.read()
        took = (time.perf_counter() - began) * 1000
        if response.status != HTTPStatus.OK:
            raise RuntimeError(answer)
        return took
