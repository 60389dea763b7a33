"""What attempts teach: how busy and how quick candidates are, what they have left, how they do."""

import asyncio
from collections.abc import Mapping
from typing import Final

from penstock_config.classification import Task
from penstock_sidecar.errors import (
    EmptyCompletion,
    UpstreamCredentials,
    UpstreamError,
    UpstreamLimited,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamTooLate,
)
from penstock_sidecar.model import Candidate, Chunk, Request
from penstock_sidecar.routing.hints import share_left
from penstock_sidecar.routing.room import Room
from penstock_sidecar.routing.scores import Tally
from penstock_sidecar.routing.seen import Seen
from penstock_sidecar.routing.signs import MAX_READ_BYTES, Ended, is_bad

REFUSED_SECONDS: Final = 1.0
"""A provider that says "not now" and not until when is asked last for so long."""


class Lessons:
    """Watches all attempts of a policy. `judges` is for policies that choose by scores: else what
    answers were like does not matter, and costs nothing."""

    def __init__(self, seen: Seen, room: Room, *, judges: bool) -> None:
        self.seen = seen
        self.room = room
        self.judges = judges

    def began(
        self, candidate: Candidate, request: Request, task: Task, *, loads: bool = False
    ) -> "Lesson":
        self.seen.busy.began(candidate)
        return Lesson(self, candidate, request, task, loads=loads)


class Lesson:
    """Of one attempt. Where it `loads` its model, how long that took is no measure of the model."""

    def __init__(
        self,
        lessons: Lessons,
        candidate: Candidate,
        request: Request,
        task: Task,
        *,
        loads: bool = False,
    ) -> None:
        self._lessons = lessons
        self._candidate = candidate
        self._request = request
        self._task = task
        self._loads = loads
        self._began = lessons.seen.clock.monotonic()
        self._wait_seconds: float | None = None
        self._text_bytes = 0
        self._finish: str | None = None
        self._whole = False
        self._body: bytearray | None = bytearray() if lessons.judges else None

    def content_came(self, headers: Mapping[str, str]) -> None:
        seen, candidate = self._lessons.seen, self._candidate
        if not self._loads:
            self._wait_seconds = seen.clock.monotonic() - self._began
            stream = self._request.stream
            seen.latencies.measured(candidate, self._wait_seconds, stream=stream)
        share = share_left(headers)
        if share is not None:
            self._lessons.room.told(candidate, share)

    def saw(self, chunk: Chunk) -> None:
        self._whole = self._whole or chunk.end
        if not self._lessons.judges:
            return
        self._text_bytes += chunk.text_bytes
        self._finish = chunk.finish or self._finish
        if self._body is not None:
            self._body += chunk.data
            if len(self._body) > MAX_READ_BYTES:
                self._body = None

    def ended(self, error: BaseException | None) -> None:
        """Answers are judged when this tick of the loop is over: the caller does not wait."""
        seen, candidate = self._lessons.seen, self._candidate
        seen.busy.ended(candidate)
        cut = isinstance(error, asyncio.CancelledError | UpstreamTimeout)
        if cut and self._wait_seconds is None and not self._loads:
            seen.latencies.waited(candidate, self._seconds(), stream=self._request.stream)
        if isinstance(error, UpstreamLimited):
            seconds = error.retry_after_seconds or REFUSED_SECONDS
            self._lessons.room.refused(self._candidate, seconds)
        if not self._lessons.judges or self._request.counts:
            return
        if self._whole:
            asyncio.get_running_loop().call_soon(self._judge, self._seconds())
        elif isinstance(error, UpstreamError) and _speaks_against(error):
            empty = isinstance(error, EmptyCompletion)
            self._learn(Tally(asked=1, signs=float(empty)))

    def _judge(self, seconds: float) -> None:
        body = None if self._body is None else bytes(self._body)
        ended = Ended(self._task, seconds, self._text_bytes, self._finish, body)
        learning = self._lessons.seen.scores.learning
        bad = is_bad(self._request, ended, learning)
        waits, wait_ms = 0, 0.0
        if self._wait_seconds is not None:
            waits, wait_ms = 1, self._wait_seconds * 1000
        self._learn(Tally(1, 1, 1.0 if bad else -learning.recovery, waits, wait_ms))

    def _learn(self, tally: Tally) -> None:
        self._lessons.seen.scores.learn(self._candidate.label, self._task, tally)

    def _seconds(self) -> float:
        return self._lessons.seen.clock.monotonic() - self._began


def _speaks_against(error: UpstreamError) -> bool:
    """Not what the request, or our own keys, brought about."""
    forgiven = (UpstreamCredentials, UpstreamRefused, UpstreamTooLate)
    return error.next_candidate and not isinstance(error, forgiven)
