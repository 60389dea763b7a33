"""Vectors of answers: what is asked, and what of it can be used."""

import json
from typing import Any

import pytest

from penstock_sidecar.ensemble.vectors import MAX_CHARACTERS, asking, vectors
from penstock_sidecar.errors import UpstreamGarbled
from tests.sidecar.ensemble.test_plan import request


def body(*each: Any) -> bytes:
    return json.dumps({"data": [{"index": i, "embedding": v} for i, v in each]}).encode()


def test_each_text_is_sent_up_to_a_bound() -> None:
    found = asking(request(), "vectors", ["short", "x" * 10_000])
    assert found.document == {"model": "vectors", "input": ["short", "x" * MAX_CHARACTERS]}
    assert found.embeds


def test_vectors_come_in_the_order_of_their_texts() -> None:
    assert vectors(body((1, [0, 1]), (0, [1.5, 0])), 2, "a/b") == [[1.5, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    "said",
    [
        b"not json",
        b"[]",
        b'{"data": "none"}',
        body((0, [1])),
        body((0, [1]), (0, [2])),
        body((0, [1]), (1, [1, 2])),
        body((0, []), (1, [])),
        body((0, [1]), (1, ["many"])),
        body((0, [1]), (1, [None])),
        body((0, [1]), (1, "AAAAAA==")),
        body((0, [1]), ("1", [1])),
    ],
)
def test_what_cannot_be_compared_is_no_answer(said: bytes) -> None:
    with pytest.raises(UpstreamGarbled, match="a/b answered with vectors that cannot be compared"):
        vectors(said, 2, "a/b")
