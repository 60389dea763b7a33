"""Which texts run together: so many as will be ready in time."""

import asyncio
from collections import deque
from time import monotonic

import pytest

from penstock_config.embedder import RefusalCode
from penstock_embedder.encoding.encoder import Reading
from penstock_embedder.errors import Refused
from penstock_embedder.index.vector import Vector
from penstock_embedder.work import GROUP_TOKENS, MOST, Job, learned, next_group

Waiting = deque[tuple[Job, Reading]]


class Told:
    """Writes down who was told what."""

    def __init__(self) -> None:
        self.late: list[int] = []

    def __call__(self, job: Job, result: Vector | Exception) -> None:
        assert isinstance(result, Refused)
        assert result.code == RefusalCode.TOO_LATE
        self.late.append(job.number)


@pytest.fixture
def told() -> Told:
    return Told()


def waiting(*texts: tuple[int, float]) -> Waiting:
    """Each of so many tokens, with so many seconds left; numbered in order."""
    now = monotonic()
    future = asyncio.get_running_loop().create_future
    return deque(
        (Job(now + seconds, number, "", future()), tuple(range(tokens)))
        for number, (tokens, seconds) in enumerate(texts)
    )


def numbers(queue: Waiting, seconds_per_token: float, told: Told) -> list[list[int]]:
    """Of all groups, one after the other."""
    groups = []
    while group := next_group(queue, seconds_per_token, told):
        groups.append([job.number for job, _ in group])
    return groups


async def test_a_group_takes_at_most_half_of_the_time_that_the_most_urgent_has(told: Told) -> None:
    queue = waiting(*[(10, 70)] * 5)
    assert numbers(queue, 1.0, told) == [[0, 1, 2], [3, 4]]
    assert told.late == []


async def test_one_that_is_urgent_goes_alone_rather_than_with_many(told: Told) -> None:
    queue = waiting((10, 15), (10, 1000), (10, 1000))
    assert numbers(queue, 1.0, told) == [[0], [1, 2]]


async def test_what_would_be_late_even_alone_is_left_out(told: Told) -> None:
    queue = waiting((10, 5), (10, 1000), (100, 50))
    assert numbers(queue, 1.0, told) == [[1]]
    assert told.late == [0, 2]


async def test_padding_counts(told: Told) -> None:
    half = GROUP_TOKENS // 2
    queue = waiting((1, 1000), (half, 1000), (half + 1, 1000))
    assert numbers(queue, 0.0, told) == [[0, 1], [2]]


def test_a_token_s_time_follows_what_is_measured_and_no_stall() -> None:
    assert learned(0.0, 0.002) == 0.002
    known = 0.002
    for _ in range(50):
        known = learned(known, 0.004)
    assert 0.0039 < known < 0.0041
    assert learned(known, 600.0) < MOST * known


async def test_while_nothing_is_known_everything_is_begun(told: Told) -> None:
    queue = waiting(*[(10, 0.5)] * 20)
    assert numbers(queue, 0.0, told) == [list(range(20))]
