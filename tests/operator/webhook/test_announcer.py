"""Announcements become Events, once, later, and never at the cost of a review."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from penstock_operator.cluster import ClusterUnreachable
from penstock_operator.delivery.owner import Owner
from penstock_operator.metrics import Metrics
from penstock_operator.webhook.announcement import Announcement
from penstock_operator.webhook.announcer import (
    AGAIN_SECONDS,
    MAX_REMEMBERED,
    MAX_WAITING,
    Announcer,
)

OWNER = Owner("apps/v1", "ReplicaSet", "team", "web-1", "uid-1")
INJECTED = Announcement(OWNER, "Normal", "Injected", "native sidecar")


def of(uid: str) -> Announcement:
    return replace(INJECTED, owner=replace(OWNER, uid=uid))


class Board:
    """Takes posts, and fails them while it is told to."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.now = 0.0
        self.failure: Exception | None = None
        self.posted: list[Announcement] = []
        self.announcer = Announcer(self.post, self.metrics, lambda: self.now)
        self._came = asyncio.Event()

    async def post(self, announcement: Announcement) -> None:
        self.posted.append(announcement)
        self._came.set()
        if self.failure:
            raise self.failure

    async def until(self, number: int) -> None:
        while len(self.posted) < number:
            self._came.clear()
            await self._came.wait()

    def count(self, result: str) -> float:
        name = "penstock_operator_announcements_total"
        return self.metrics.registry.get_sample_value(name, {"result": result}) or 0


@pytest.fixture
def board() -> Board:
    return Board()


@asynccontextmanager
async def posting(board: Board) -> AsyncIterator[None]:
    task = asyncio.create_task(board.announcer.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_an_owner_is_told_the_same_thing_once_an_hour(board: Board) -> None:
    other = replace(INJECTED, reason="InjectionSkipped", type="Warning")
    async with posting(board):
        for each in (INJECTED, INJECTED, other, INJECTED, of("uid-2")):
            board.announcer.tell(each)
        await board.until(3)
        board.now = AGAIN_SECONDS
        board.announcer.tell(INJECTED)
        await board.until(4)
    assert board.posted == [INJECTED, other, of("uid-2"), INJECTED]
    assert board.count("ok") == 4


@pytest.mark.parametrize(
    "failure",
    [
        ClusterUnreachable("POST /api/v1/namespaces/team/events: 503"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    ],
    ids=["the server does", "the text cannot be sent"],
)
async def test_what_fails_is_counted_and_the_next_is_posted(
    board: Board, failure: Exception
) -> None:
    """Anybody who reaches the webhook may send it any text."""
    async with posting(board):
        board.failure = failure
        board.announcer.tell(INJECTED)
        await board.until(1)
        board.failure = None
        board.announcer.tell(of("uid-2"))
        await board.until(2)
    assert board.count("failed") == 1


async def test_more_than_can_wait_are_dropped_and_counted(board: Board) -> None:
    for number in range(MAX_WAITING + 3):
        board.announcer.tell(of(str(number)))
    assert board.count("dropped") == 3
    async with posting(board):
        await board.until(MAX_WAITING)
        board.announcer.tell(of(str(MAX_WAITING)))
        await board.until(MAX_WAITING + 1)
    assert board.posted[-1] == of(str(MAX_WAITING)), "what was dropped was not told"
    async with posting(board):
        await board.until(MAX_WAITING)


async def test_what_was_told_is_remembered_up_to_a_bound(board: Board) -> None:
    async with posting(board):
        for number in range(MAX_REMEMBERED + 1):
            board.announcer.tell(of(str(number)))
            await board.until(number + 1)
        board.announcer.tell(of(str(MAX_REMEMBERED)))
        board.announcer.tell(of("0"))
        await board.until(MAX_REMEMBERED + 2)
    assert board.posted[-1] == of("0"), "the oldest was forgotten, the newest was not"
