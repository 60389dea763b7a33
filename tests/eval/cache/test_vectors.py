"""What the embedder's side says of texts, and that its answer is remembered."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray

from penstock_embedder.encoding.encoder import Nature
from tests.eval.cache import vectors
from tests.eval.cache.nearness import LEAST, REMEMBERED, Inquiry, asked

ANGLES: Final = {
    "east": 0.0,
    "nearly east": 0.1,
    "north": np.pi / 2,
    "nearly north": np.pi / 2 - 0.2,
}


class Compass:
    """An encoder of two dimensions whose tokens are where a text stands in `ANGLES`."""

    nature = Nature(id="compass", dimension=2, window=1)

    def read(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        return [(list(ANGLES).index(text),) * 2 for text in texts]

    def embed(self, readings: Sequence[tuple[int, ...]]) -> NDArray[np.float32]:
        assert {len(reading) for reading in readings} == {1}, "cut to the window"
        angles = [list(ANGLES.values())[reading[0]] for reading in readings]
        return np.array([(np.cos(a), np.sin(a)) for a in angles], np.float32)


@pytest.fixture
def inquiry() -> Inquiry:
    return Inquiry(
        pairs=[("east", "north"), ("east", "nearly east")],
        streams={"walk": ["north", "east", "nearly north", "nearly east"]},
    )


def told(inquiry: Inquiry) -> dict[str, object]:
    return vectors.told(inquiry.document()[1], Compass())


def test_pairs_have_their_cosine(inquiry: Inquiry) -> None:
    assert told(inquiry)["pairs"] == pytest.approx([0.0, np.cos(0.1)], abs=1e-6)


def test_neighbours_are_those_before_and_near_enough(
    inquiry: Inquiry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for block in (1, 2, 512):
        monkeypatch.setattr(vectors, "BLOCK", block)
        streams = told(inquiry)["streams"]
        assert isinstance(streams, dict)
        assert [[place for place, _ in found] for found in streams["walk"]] == [[], [], [0], [1]]
    assert np.cos(0.1) >= LEAST


def test_tokens_are_all_those_of_a_text(inquiry: Inquiry) -> None:
    assert told(inquiry)["tokens"] == [2, 2, 2, 2]


def test_what_was_said_once_is_not_asked_again(inquiry: Inquiry, tmp_path: Path) -> None:
    """A program that does not exist cannot have been asked."""
    answer = orjson.dumps(told(inquiry))
    program = tmp_path / "python"
    program.write_text(
        "#!/bin/sh\ncat > /dev/null\ncat " + str(tmp_path / "answer") + "\n", "utf-8"
    )
    program.chmod(0o755)
    (tmp_path / "answer").write_bytes(answer)
    first = asked(inquiry, program, tmp_path / "kept")
    assert asked(inquiry, tmp_path / "nothing", tmp_path / "kept") == first
    assert (first.encoder, first.window, first.tokens["east"]) == ("compass", 1, 2)
    assert REMEMBERED.parts[-2:] == (".cache", "eval-cache")
