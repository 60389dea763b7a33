"""What attempts teach, as they go through an upstream."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from penstock_sidecar.errors import (
    EmptyCompletion,
    StreamBroken,
    UpstreamContextTooLong,
    UpstreamCredentials,
    UpstreamError,
    UpstreamLimited,
    UpstreamRefused,
    UpstreamTooLate,
    UpstreamUnavailable,
)
from penstock_sidecar.model import Answer, Candidate, Chunk
from penstock_sidecar.routing.lessons import Lessons
from penstock_sidecar.routing.room import Endless
from penstock_sidecar.routing.scores import Learning, Tally
from penstock_sidecar.routing.seen import Seen
from penstock_sidecar.upstream.base import Call
from penstock_sidecar.upstream.watched import Watched
from tests.sidecar.routing.builders import ManualClock
from tests.sidecar.routing.strategies.models import candidate, priced
from tests.sidecar.routing.test_signs import chat, whole

HERE = candidate(priced("here", 1))
TEXT = "Because air scatters blue light more than red, and dust on Mars does the opposite."
LAST = Chunk(whole(TEXT), content=True, text_bytes=len(TEXT), finish="stop", end=True)


class Heard(Endless):
    """What candidates said of their own limits."""

    def __init__(self) -> None:
        self.shares: list[float] = []
        self.refused_for: list[float] = []

    def told(self, candidate: Candidate, share_left: float) -> None:  # noqa: ARG002  # a `Room`'s
        self.shares.append(share_left)

    def refused(self, candidate: Candidate, seconds: float) -> None:  # noqa: ARG002  # a `Room`'s
        self.refused_for.append(seconds)


class Scripted:
    """An upstream that waits, then answers or fails."""

    def __init__(
        self,
        clock: ManualClock,
        *chunks: Chunk,
        error: BaseException | None = None,
        broken: UpstreamError | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._clock = clock
        self._chunks = chunks
        self._error, self._broken = error, broken
        self._headers = headers or {}

    @asynccontextmanager
    async def call(self, _: Call) -> AsyncIterator[Answer]:
        self._clock.now += 0.3
        if self._error:
            raise self._error
        yield Answer(self._all(), "application/json", self._headers)

    async def _all(self) -> AsyncIterator[Chunk]:
        for chunk in self._chunks:
            yield chunk
        if self._broken:
            raise self._broken


class Watching:
    """A process that watches one upstream."""

    def __init__(self, *, judges: bool = True) -> None:
        self.clock = ManualClock()
        self.seen = Seen.nothing(self.clock, Learning())
        self.room = Heard()
        self.lessons = Lessons(self.seen, self.room, judges=judges)

    async def asks(
        self, upstream: Scripted, *, chunks: int = 99, stream: bool = False, loads: bool = False
    ) -> None:
        """Reads so many chunks, then leaves."""
        call = Call(chat(stream=stream), HERE, None, task="coding", loads=loads)
        async with Watched(upstream, self.lessons).call(call) as answer:
            assert self.seen.busy.in_flight(HERE) == 1
            async for _ in answer.chunks:
                chunks -= 1
                if not chunks:
                    return
        await asyncio.sleep(0)

    def learnt(self) -> Tally:
        return self.seen.scores.tally(HERE.label, "coding")


async def test_an_answer_teaches_that_it_came_and_how_soon() -> None:
    watching = Watching()
    await watching.asks(Scripted(watching.clock, LAST))
    learnt = watching.learnt()
    assert (learnt.asked, learnt.served, learnt.signs, learnt.waits) == (1, 1, 0, 1)
    assert learnt.wait_ms == pytest.approx(300)
    assert watching.seen.latencies.ms(HERE, stream=False) == pytest.approx(300)
    assert watching.seen.latencies.ms(HERE, stream=True) is None
    assert watching.seen.busy.in_flight(HERE) == 0


@pytest.mark.parametrize("error", [None, asyncio.CancelledError()])
async def test_the_loading_of_a_model_is_no_measure_of_it(error: BaseException | None) -> None:
    watching = Watching()
    with contextlib.suppress(asyncio.CancelledError):
        await watching.asks(Scripted(watching.clock, LAST, error=error), loads=True)
    assert watching.learnt().waits == 0
    assert watching.seen.latencies.ms(HERE, stream=False) is None
    assert watching.seen.busy.in_flight(HERE) == 0


async def test_a_bad_answer_is_a_sign() -> None:
    watching = Watching()
    refusal = "I'm sorry, but I can't do that."
    chunk = replace(LAST, data=whole(refusal), text_bytes=len(refusal))
    await watching.asks(Scripted(watching.clock, chunk))
    assert watching.learnt().signs == 1
    await watching.asks(Scripted(watching.clock, LAST))
    assert watching.learnt().signs == pytest.approx(0.8, rel=0.01)


@pytest.mark.parametrize(
    ("error", "asked", "signs"),
    [
        (UpstreamUnavailable("down"), 1, 0),
        (EmptyCompletion("nothing"), 1, 1),
        (UpstreamLimited("later"), 1, 0),
        (UpstreamRefused("no such parameter"), 0, 0),
        (UpstreamCredentials("our key"), 0, 0),
        (UpstreamContextTooLong("too long"), 0, 0),
        (UpstreamTooLate("the caller's time is over"), 0, 0),
    ],
)
async def test_failures_teach_where_they_are_the_candidates_own(
    error: UpstreamError, asked: int, signs: int
) -> None:
    watching = Watching()
    with pytest.raises(UpstreamError):
        await watching.asks(Scripted(watching.clock, error=error))
    assert watching.learnt() == Tally(asked=asked, signs=signs)
    assert watching.seen.busy.in_flight(HERE) == 0


async def test_a_stream_that_breaks_is_an_attempt_that_did_not_serve() -> None:
    watching = Watching()
    half = Chunk(b"data: {}\n\n", content=True, text_bytes=3)
    upstream = Scripted(watching.clock, half, broken=StreamBroken("cut"))
    with pytest.raises(StreamBroken):
        await watching.asks(upstream, stream=True)
    assert watching.learnt() == Tally(asked=1)
    assert watching.seen.latencies.ms(HERE, stream=True) == pytest.approx(300)


async def test_who_leaves_half_way_teaches_nothing() -> None:
    watching = Watching()
    half = Chunk(b"data: {}\n\n", content=True, text_bytes=3)
    await watching.asks(Scripted(watching.clock, half, LAST), chunks=1, stream=True)
    assert watching.learnt() == Tally()
    assert watching.seen.busy.in_flight(HERE) == 0


async def test_a_call_that_is_cancelled_teaches_nothing() -> None:
    watching = Watching()

    async def cut() -> None:
        call = Call(chat(), HERE, None)
        async with Watched(Scripted(watching.clock, LAST), watching.lessons).call(call):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await cut()
    assert (watching.learnt(), watching.seen.busy.in_flight(HERE)) == (Tally(), 0)


async def test_where_nobody_asks_what_answers_are_like_none_is_kept() -> None:
    watching = Watching(judges=False)
    await watching.asks(Scripted(watching.clock, LAST))
    assert watching.learnt() == Tally()
    assert watching.seen.latencies.ms(HERE, stream=False) == pytest.approx(300)


async def test_what_a_provider_says_of_its_limits_is_heard() -> None:
    watching = Watching()
    headers = {
        "x-ratelimit-limit-requests": "1000",
        "x-ratelimit-remaining-requests": "400",
        "x-ratelimit-limit-tokens": "6000",
        "x-ratelimit-remaining-tokens": "600",
    }
    await watching.asks(Scripted(watching.clock, LAST, headers=headers))
    await watching.asks(Scripted(watching.clock, LAST, headers={"x-ratelimit-limit-requests": "?"}))
    await watching.asks(
        Scripted(
            watching.clock,
            LAST,
            headers={
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "10",
            },
        )
    )
    assert watching.room.shares == [0.1, 0.2]


@pytest.mark.parametrize(("said", "seconds"), [(7.5, 7.5), (None, 1.0)])
async def test_a_429_means_no_room_for_as_long_as_it_says(
    said: float | None, seconds: float
) -> None:
    watching = Watching()
    error = UpstreamLimited("later", retry_after_seconds=said)
    with pytest.raises(UpstreamLimited):
        await watching.asks(Scripted(watching.clock, error=error))
    assert watching.room.refused_for == [seconds]


@pytest.mark.parametrize("error", [asyncio.CancelledError(), UpstreamTooLate("late")])
async def test_who_is_cut_before_his_content_took_at_least_so_long(error: BaseException) -> None:
    watching = Watching()
    with pytest.raises(type(error)):
        await watching.asks(Scripted(watching.clock, error=error))
    assert watching.seen.latencies.ms(HERE, stream=False) == pytest.approx(300)
