"""Run by the embedder's Python: texts from stdin, each backend's vectors beside the reference."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from penstock_embedder.encoding.files import GRAPH, find_model
from penstock_embedder.encoding.graph import build
from penstock_embedder.encoding.model import load_encoder
from penstock_embedder.index.vector import Rows

THRESHOLD = 0.95


def main(exported: str, texts: list[str]) -> dict[str, Any]:
    from sentence_transformers import SentenceTransformer

    model = find_model("")
    reference = SentenceTransformer(str(model), device="cpu").encode(texts)
    found = {
        "onnx": backend(Path(exported), "onnx", texts),
        "torch": backend(model, "torch", texts),
    }
    told = {name: compared(reference, vectors) for name, vectors in found.items()}
    return {**told, "built_is_exported": build(model) == (Path(exported) / GRAPH).read_bytes()}


def backend(folder: Path, name: Any, texts: list[str]) -> Rows:
    """Alone, in pairs, and in batches of up to 32: which company a text has must not matter."""
    encoder = load_encoder(folder, name)
    readings, vectors = encoder.read(texts), []
    begin, sizes = 0, [1, 2, 7, 32]
    while begin < len(readings):
        size = sizes[begin % len(sizes)]
        vectors.append(encoder.embed(readings[begin : begin + size]))
        begin += size
    return np.concatenate(vectors)


def compared(reference: Rows, vectors: Rows) -> dict[str, Any]:
    pairs = np.triu_indices(len(reference), 1)
    expected = (reference @ reference.T)[pairs] >= THRESHOLD
    decided = (vectors @ vectors.T)[pairs] >= THRESHOLD
    return {
        "least_cosine": float((reference * vectors).sum(axis=1).min()),
        "least_length": float(np.linalg.norm(vectors, axis=1).min()),
        "pairs": int(expected.sum()),
        "decided_otherwise": int((expected != decided).sum()),
    }


if __name__ == "__main__":
    json.dump(main(sys.argv[1], json.load(sys.stdin)), sys.stdout)
