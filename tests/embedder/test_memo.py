"""Nothing is embedded twice, and no namespace can tell what another asked."""

import math

import numpy as np
import pytest

from penstock_embedder.index.vector import Vector
from penstock_embedder.memo import Memo


class Counting:
    """Embeds, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def embed(self, text: str, deadline: float) -> Vector:
        assert math.isinf(deadline)
        if text == "broken":
            raise MemoryError
        self.asked.append(text)
        return np.ones(4, np.float32)


async def test_a_text_is_embedded_once_per_namespace() -> None:
    counting = Counting()
    memo = Memo(counting.embed, 10)
    for namespace in ("a", "a", "b"):
        await memo.vector(namespace, "text", math.inf)
    assert counting.asked == ["text", "text"]
    assert memo.hits == 1
    await memo.vector("a\0te", "xt", math.inf)
    assert len(counting.asked) == 3


async def test_what_was_not_asked_for_longest_goes_first() -> None:
    counting = Counting()
    memo = Memo(counting.embed, 2)
    for text in ("one", "two", "one", "three", "one", "two"):
        await memo.vector("a", text, math.inf)
    assert counting.asked == ["one", "two", "three", "two"]
    assert len(memo) == 2


async def test_failures_are_not_remembered_and_a_memo_may_be_off() -> None:
    counting = Counting()
    memo = Memo(counting.embed, 0)
    with pytest.raises(MemoryError):
        await memo.vector("a", "broken", math.inf)
    for _ in range(2):
        await memo.vector("a", "text", math.inf)
    assert counting.asked == ["text", "text"]
    assert len(memo) == 0
