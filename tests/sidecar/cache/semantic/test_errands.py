import asyncio
import logging
from functools import partial

import pytest

from penstock_sidecar.cache.semantic.embedder import EmbedderUnavailable
from penstock_sidecar.cache.semantic.errands import AT_ONCE, Errands


async def test_all_are_done() -> None:
    errands, done = Errands(), []

    async def note(number: int) -> None:
        done.append(number)

    for number in range(5):
        assert errands.add(partial(note, number))
    await errands.settled()
    await errands.close()
    assert sorted(done) == list(range(5))


async def test_what_is_too_much_is_dropped_and_nobody_waits() -> None:
    errands, gate, begun = Errands(most_waiting=1), asyncio.Event(), asyncio.Semaphore(0)

    async def wait() -> None:
        begun.release()
        await gate.wait()

    for _ in range(AT_ONCE):
        assert errands.add(wait)
        await begun.acquire()
    assert errands.add(wait)
    assert not errands.add(wait)
    gate.set()
    await errands.settled()
    await errands.close()


async def test_a_failed_one_keeps_no_other_from_being_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    errands, done = Errands(), asyncio.Event()

    async def lost() -> None:
        raise EmbedderUnavailable("away")

    async def wrong() -> None:
        raise ValueError("words of a prompt")

    async def right() -> None:
        done.set()

    with caplog.at_level(logging.INFO):
        for errand in (*[lost] * AT_ONCE, *[wrong] * AT_ONCE, right):
            errands.add(errand)
        await errands.settled()
    await errands.close()
    assert done.is_set()
    assert {r.message for r in caplog.records} == {"cache.errand_failed"}
    assert "prompt" not in caplog.text


async def test_close_ends_what_has_begun_and_takes_no_more() -> None:
    errands, begun, ended = Errands(), asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    errands.add(wait)
    await begun.wait()
    await errands.close()
    assert ended.is_set()
    assert not errands.add(wait)
