"""Texts are embedded together, the urgent first, and none in vain."""

import asyncio
import math
import threading
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

import pytest

from penstock_config.embedder import MAX_TEXT_CHARACTERS, RefusalCode
from penstock_embedder.batching import Batcher
from penstock_embedder.encoding.encoder import Reading
from penstock_embedder.errors import Refused
from penstock_embedder.index.vector import Rows
from tests.embedder.encoders import Words


class Slow(Words):
    """Takes a twentieth of a second."""

    def embed(self, readings: Sequence[Reading]) -> Rows:
        threading.Event().wait(0.05)
        return super().embed(readings)


class SlowOnce(Words):
    """The first time only."""

    def embed(self, readings: Sequence[Reading]) -> Rows:
        if not self.groups:
            threading.Event().wait(0.05)
        return super().embed(readings)


class Heard:
    """Writes down what was embedded."""

    def __init__(self) -> None:
        self.texts: list[int] = []

    def embedded(self, texts: int, seconds: float) -> None:
        assert seconds >= 0
        self.texts.append(texts)


def batcher(encoder: Words, heard: Heard, *, max_batch: int = 32, workers: int = 1) -> Batcher:
    return Batcher(encoder, workers, max_batch, 0.002, heard)


async def refused(work: "asyncio.Future[object] | asyncio.Task[object]") -> RefusalCode:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value.code


async def test_texts_that_come_together_are_embedded_together() -> None:
    encoder, heard = Words(), Heard()
    async with batcher(encoder, heard) as working:
        texts = [f"text {number}" for number in range(20)]
        vectors = await asyncio.gather(*(working.embed(text, math.inf) for text in texts))
        alone = await working.embed("text 7", math.inf)
    assert encoder.groups == [20, 1]
    assert heard.texts == [20, 1]
    assert (vectors[7] == alone).all()
    assert not (vectors[7] == vectors[8]).all()


async def test_a_batch_is_bounded() -> None:
    encoder = Words()
    async with batcher(encoder, Heard(), max_batch=8) as working:
        await asyncio.gather(*(working.embed(f"text {n}", math.inf) for n in range(20)))
    assert encoder.groups == [8, 8, 4]


async def test_long_texts_go_apart_after_the_short_ones() -> None:
    """Padding included, a group has at most 256 tokens."""
    encoder = Words(window=1000)
    long, short = " ".join(["word"] * 100), "one word"
    async with batcher(encoder, Heard()) as working:
        await asyncio.gather(*(working.embed(t, math.inf) for t in [long, short] * 3))
    assert encoder.groups == [3, 2, 1]


async def test_a_text_beyond_the_window_is_refused_and_the_others_are_not() -> None:
    async with batcher(Words(), Heard()) as working:
        fits = asyncio.create_task(
            working.embed("eight words are what fits in this window", math.inf)
        )
        long = asyncio.create_task(
            working.embed("nine words are more than what fits in here", math.inf)
        )
        assert await refused(long) == RefusalCode.TOO_LONG
        assert len(await fits) == 16
        huge = asyncio.create_task(working.embed("a" * (MAX_TEXT_CHARACTERS + 1), math.inf))
        assert await refused(huge) == RefusalCode.TOO_LONG


async def test_the_most_urgent_goes_first_and_what_is_too_late_not_at_all() -> None:
    encoder = Words()
    async with batcher(encoder, Heard(), max_batch=1) as working:
        encoder.open.clear()
        first = asyncio.create_task(working.embed("first", math.inf))
        await asyncio.to_thread(encoder.began.wait, 20)
        order: list[str] = []

        async def asked(text: str, deadline: float) -> None:
            await working.embed(text, deadline)
            order.append(text)

        late = asyncio.create_task(working.embed("late", monotonic()))
        tasks = [
            asyncio.create_task(asked("patient", monotonic() + 60)),
            asyncio.create_task(asked("urgent", monotonic() + 30)),
        ]
        await asyncio.sleep(0)
        assert working.depth == 3
        encoder.open.set()
        await asyncio.gather(first, *tasks)
        assert await refused(late) == RefusalCode.TOO_LATE
    assert order == ["urgent", "patient"]
    assert encoder.groups == [1, 1, 1]


async def test_what_would_be_ready_too_late_is_not_begun() -> None:
    """A token's time is learned from the batches before."""
    encoder = Slow()
    async with batcher(encoder, Heard()) as working:
        await working.embed("learn this", math.inf)
        hasty = asyncio.create_task(working.embed("learn that", monotonic() + 0.02))
        assert await refused(hasty) == RefusalCode.TOO_LATE
    assert encoder.groups == [1]


async def test_after_a_stall_texts_are_begun_again() -> None:
    """Else nothing would ever be, and nothing learned by it."""
    async with batcher(SlowOnce(), Heard()) as working, asyncio.timeout(20):
        await working.embed("learn this", math.inf)
        served = False
        while not served:
            with suppress(Refused):
                await working.embed("learn that", monotonic() + 0.02)
                served = True


async def test_nothing_is_embedded_for_a_caller_that_has_gone() -> None:
    encoder = Words()
    async with batcher(encoder, Heard()) as working:
        encoder.open.clear()
        first = asyncio.create_task(working.embed("first", math.inf))
        await asyncio.to_thread(encoder.began.wait, 20)
        gone = asyncio.create_task(working.embed("gone", math.inf))
        await asyncio.sleep(0)
        gone.cancel()
        encoder.open.set()
        await first
        await working.embed("last", math.inf)
    assert encoder.groups == [1, 1]


async def test_a_model_that_breaks_is_told_to_everybody_and_the_next_is_served() -> None:
    encoder = Words()
    async with batcher(encoder, Heard()) as working:
        encoder.broken = True
        both = [asyncio.create_task(working.embed(text, math.inf)) for text in ("one", "two")]
        for task in both:
            with pytest.raises(MemoryError):
                await task
        encoder.broken = False
        assert len(await working.embed("three", math.inf)) == 16


async def test_several_workers_embed_at_once() -> None:
    encoder = Words()
    encoder.together = threading.Barrier(2)
    async with batcher(encoder, Heard(), max_batch=1, workers=2) as working:
        await asyncio.gather(working.embed("one", math.inf), working.embed("two", math.inf))
    assert encoder.groups == [1, 1]
