"""The closest vectors of a view: a pure function, for any thread."""

import heapq
from dataclasses import dataclass

import numpy as np

from penstock_embedder.index.partition import Span, View
from penstock_embedder.index.sketch import bounds
from penstock_embedder.index.vector import Vector


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """One kept vector and its cosine similarity."""

    similarity: float
    name: str


def nearest(view: View, vector: Vector, k: int, least: float, now_ms: int) -> list[Found]:
    """At most k, the most similar first; none below `least`, expired or gone."""
    best: list[Found] = []
    for span in view:
        floor = max(least, best[-1].similarity) if len(best) == k else least
        best = heapq.nlargest(k, [*best, *_of_span(span, vector, k, floor, now_ms)])
    return best


def _of_span(span: Span, vector: Vector, k: int, floor: float, now_ms: int) -> list[Found]:
    there = span.expires > now_ms
    if span.sketch is not None and span.axes is not None:
        there &= bounds(span.sketch, span.axes, vector) >= floor
    rows = np.flatnonzero(there)
    few = 4 * len(rows) < len(there)  # then gathering them costs less than all of them
    similarities = span.rows[rows] @ vector if few else (span.rows @ vector)[rows]
    close = np.flatnonzero(similarities >= floor)
    if len(close) > k:
        close = close[np.argpartition(similarities[close], -k)[-k:]]
    return [Found(float(similarities[each]), span.names[rows[each]]) for each in close]
