"""Says how near texts are, by the embedder's own code and weights. Runs where those are installed.

    python -m tests.eval.cache.vectors < asked.json > told.json

The sidecar's environment has no numpy, so whoever evaluates asks this program (`nearness.py`).
"""

import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from penstock_embedder.encoding.encoder import Encoder
from penstock_embedder.encoding.files import find_model
from penstock_embedder.encoding.model import load_encoder

BATCH: Final = 32
BLOCK: Final = 512
"""Rows compared at a time."""

Vectors = NDArray[np.float32]


def told(asked: Any, encoder: Encoder) -> dict[str, object]:
    """`texts`; `pairs` of their indices; `streams` of indices, in which each text is compared with
    all before it; `least`, below which nobody wants to know."""
    readings = encoder.read(asked["texts"])
    vectors = _embedded(encoder, [reading[: encoder.nature.window] for reading in readings])
    streams = {
        name: _neighbours(vectors[stream], asked["least"])
        for name, stream in asked["streams"].items()
    }
    return {
        "encoder": encoder.nature.id,
        "window": encoder.nature.window,
        "tokens": [len(reading) for reading in readings],
        "pairs": [float(vectors[one] @ vectors[other]) for one, other in asked["pairs"]],
        "streams": streams,
    }


def _embedded(encoder: Encoder, readings: Sequence[tuple[int, ...]]) -> Vectors:
    vectors: Vectors = np.zeros((len(readings), encoder.nature.dimension), np.float32)
    order = sorted(range(len(readings)), key=lambda index: len(readings[index]))
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        vectors[batch] = encoder.embed([readings[index] for index in batch])
    return vectors


def _neighbours(stream: Vectors, least: float) -> list[list[tuple[int, float]]]:
    """Of each text those before it that are near, the nearest first."""
    found: list[list[tuple[int, float]]] = []
    for start in range(0, len(stream), BLOCK):
        block = stream[start : start + BLOCK]
        for row, near in enumerate(block @ stream[: start + len(block)].T):
            before = near[: start + row]
            places = np.flatnonzero(before >= least)
            nearest = places[np.argsort(-before[places], kind="stable")]
            found.append([(int(place), float(before[place])) for place in nearest])
    return found


if __name__ == "__main__":
    answer = told(orjson.loads(sys.stdin.buffer.read()), load_encoder(find_model(""), "auto"))
    sys.stdout.buffer.write(orjson.dumps(answer))
