"""How sidecars are put into pods, as the cluster changes."""

import asyncio

import pytest

from penstock_operator.cluster import ClusterError, ClusterUnreachable, Forbidden
from penstock_operator.injection.template import Mode
from penstock_operator.webhook.native import Choice, CurrentMode, watched_mode


class Asked:
    """A cluster that answers as told, and says when it was asked again."""

    def __init__(self, *answers: bool | Exception) -> None:
        self._answers = list(answers)
        self.exhausted = asyncio.Event()

    async def __call__(self) -> bool:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if len(self._answers) == 1:
            self.exhausted.set()
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_it_is_known_from_the_start_and_looked_at_again() -> None:
    asked = Asked(True, True, False, False)
    async with watched_mode("auto", asked, look_seconds=0.001) as mode:
        assert mode() == "native"
        async with asyncio.timeout(10):
            await asked.exhausted.wait()
        assert mode() == "container"


async def test_an_answer_that_nobody_understands_does_not_end_the_looking() -> None:
    asked = Asked(True, ValueError("no version"), False, False)
    async with watched_mode("auto", asked, look_seconds=0.001) as mode:
        async with asyncio.timeout(10):
            await asked.exhausted.wait()
        assert mode() == "container"


@pytest.mark.parametrize(
    ("error", "expected"),
    [(ClusterUnreachable("gone"), "native"), (Forbidden("no right"), "container")],
)
async def test_an_outage_changes_nothing_and_a_lost_right_does(
    error: ClusterError, expected: Mode
) -> None:
    mode = CurrentMode(Asked(True, error))
    await mode.look()
    await mode.look()
    assert mode() == expected


@pytest.mark.parametrize("error", [ClusterUnreachable("gone"), Forbidden("no right")])
async def test_as_long_as_nothing_is_known_every_cluster_takes_a_container(
    error: ClusterError,
) -> None:
    async with watched_mode("auto", Asked(error)) as mode:
        assert mode() == "container"


@pytest.mark.parametrize(("choice", "expected"), [("always", "native"), ("never", "container")])
async def test_a_setting_asks_nobody(choice: Choice, expected: Mode) -> None:
    asked = Asked(ClusterUnreachable("not to be asked"))
    async with watched_mode(choice, asked) as mode:
        assert mode() == expected
    assert not asked.exhausted.is_set()
