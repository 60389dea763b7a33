"""Run by the embedder's Python: keeps many vectors in Redis, and times the bare model.

    python -m bench.semantic_vectors REDIS_URL SHELF PARTITION NUMBER < texts.json > told.json

The vectors are those of the texts, and further ones around them, as near as paraphrases are: what a
search meets, and not what uniform noise would be.
"""

import json
import sys
import time
from collections.abc import Sequence
from typing import Final

import numpy as np
import redis

from penstock_embedder.encoding.encoder import Encoder
from penstock_embedder.encoding.files import find_model
from penstock_embedder.encoding.model import load_encoder
from penstock_embedder.index.vector import Rows
from penstock_embedder.kept import Kept, Place

SPREAD: Final = (0.01, 0.03)
"""Of noise in each dimension: cosines of 0.98 to 0.86 to the text."""
TIMED: Final = 300
CHUNK: Final = 1000
HOUR_MS: Final = 3_600_000


def main(url: str, place: tuple[str, str], number: int, texts: Sequence[str]) -> list[float]:
    """Milliseconds of the model alone, for each of the first texts."""
    encoder = load_encoder(find_model(""), "onnx")
    bare = [_timed(encoder, text) for text in texts[:TIMED]]
    if number:
        rows = np.concatenate([_vectors(encoder, texts[i : i + 16]) for i in range(0, 1024, 16)])
        _keep(url, Place.of("", *place, encoder.nature.id).key, _around(rows, number))
    return bare


def _timed(encoder: Encoder, text: str) -> float:
    began = time.perf_counter()
    _vectors(encoder, [text])
    return (time.perf_counter() - began) * 1000


def _vectors(encoder: Encoder, texts: Sequence[str]) -> Rows:
    return encoder.embed(encoder.read(texts))


def _around(rows: Rows, number: int) -> Rows:
    random = np.random.default_rng(7)
    near = rows[random.integers(0, len(rows), number)]
    spread = random.uniform(*SPREAD, (number, 1)).astype(np.float32)
    near = near + spread * random.standard_normal(near.shape).astype(np.float32)
    units: Rows = near / np.linalg.norm(near, axis=1, keepdims=True)
    return units


def _keep(url: str, key: str, rows: Rows) -> None:
    expires = int(time.time() * 1000) + HOUR_MS
    with redis.Redis.from_url(url) as client:
        for start in range(0, len(rows), CHUNK):
            kept = enumerate(rows[start : start + CHUNK], start)
            values = {f"t:{n:064x}": Kept("", row, expires).value for n, row in kept}
            client.hset(key, mapping=values)
        client.pexpire(key, HOUR_MS)


if __name__ == "__main__":
    url, shelf, partition, number = sys.argv[1:5]
    json.dump(main(url, (shelf, partition), int(number), json.load(sys.stdin)), sys.stdout)
