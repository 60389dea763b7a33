"""Whom an ensemble asks, in which order, and whether so many answers are enough."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import pytest

from penstock_config.tier import Ensemble, EnsembleSize, Tier
from penstock_sidecar.ensemble.gathering import Gathering
from penstock_sidecar.ensemble.member import Asking, Member
from penstock_sidecar.ensemble.plan import Plan
from penstock_sidecar.errors import SidecarError, UpstreamLimited, UpstreamUnavailable
from penstock_sidecar.model import Candidate
from tests.sidecar.health.world import candidate

Says = Mapping[str, str | SidecarError]
HOUR_SECONDS: Final = 3600
DOWN: Final = UpstreamUnavailable("down")
OWN: Final = "shop/fast"
"""The tier of `candidate`."""


class Scripted(Asking):
    """Members say what `says` has for them, or fail; of whom it has nothing stays silent."""

    def __init__(
        self,
        says: Says,
        out: Collection[str] = (),
        tried_elsewhere: Collection[str] = (),
    ) -> None:
        self._says = says
        self._out = out
        self._elsewhere = tried_elsewhere

    def out(self, candidate: Candidate) -> bool:
        return candidate.model.name in self._out

    async def take(self, candidate: Candidate) -> bool:
        return candidate.model.name not in self._elsewhere

    async def ask(self, member: Member, wait_for: Tier | None = None) -> None:  # noqa: ARG002  # theirs
        said = self._says.get(member.candidate.model.name)
        if said is None:
            await asyncio.Event().wait()
        elif isinstance(said, str):
            member.text = member.says = said
        else:
            member.error = said


def borrowed(name: str) -> Candidate:
    """Of a fallback tier."""
    plain = candidate(name)
    return Candidate(plain.provider, plain.model, "simple", "shop/simple")


async def gathered(
    asking: Asking,
    candidates: Sequence[Candidate],
    least: int = 2,
    most: int = 2,
    quorum: int | None = None,
) -> Gathering:
    size = EnsembleSize(complexity="medium", min=least, max=most)
    ensemble = Ensemble(sizes=(size,), quorum=quorum)
    tier = Tier(id=OWN, name="fast", candidates=(), when_saturated="Reject", ensemble=ensemble)
    until = asyncio.get_running_loop().time() + HOUR_SECONDS
    found = Gathering(Plan(tier, ensemble, size, HOUR_SECONDS, None, ()), asking, until)
    await found.gather(candidates)
    return found


def asked(gathering: Gathering) -> str:
    return " ".join(member.candidate.model.name for member in gathering.members)


def own(names: str) -> list[Candidate]:
    return [candidate(name) for name in names]


@pytest.mark.parametrize(
    ("least", "expected"), [(2, "b c"), (3, "b c x"), (4, "b c x o"), (5, "b c x o a")]
)
async def test_whom_another_request_tries_is_asked_after_all_others(
    least: int, expected: str
) -> None:
    asking = Scripted(dict.fromkeys("abcox", "yes"), out="o", tried_elsewhere="a")
    candidates = [*own("oabc"), borrowed("x")]
    found = await gathered(asking, candidates, least, most=3, quorum=least)
    assert asked(found) == expected


async def test_nor_does_it_replace_who_fails_while_others_can() -> None:
    says: Says = {"a": DOWN, "b": DOWN, "c": "yes", "d": "yes", "e": "yes"}
    asking = Scripted(says, tried_elsewhere="c")
    assert asked(await gathered(asking, own("abcde"))) == "a b d e"
    assert asked(await gathered(asking, own("abcd"))) == "a b d c"


async def test_the_trial_of_a_model_of_ours_lets_no_other_tier_in_where_limits_refuse() -> None:
    limited = UpstreamLimited("later")
    says: Says = {"a": limited, "b": limited, "x": "yes"}
    asking = Scripted(says, tried_elsewhere="c")
    assert asked(await gathered(asking, [*own("abc"), borrowed("x")])) == "a b"


async def test_who_was_not_waited_for_is_not_missed() -> None:
    found = await gathered(Scripted({"a": "yes", "b": "yes"}), own("abc"), most=3, quorum=3)
    assert (len(found.voters), found.degraded) == (2, False)


async def test_one_answer_is_never_enough() -> None:
    found = await gathered(Scripted({"a": "yes"}), own("abc"), most=3, quorum=1)
    assert (len(found.voters), found.degraded) == (1, True)


async def test_who_failed_is_missed() -> None:
    """However clear the others are: with four of five a quorum was out of reach."""
    says: Says = {"a": DOWN, "b": DOWN, "c": "yes", "d": "yes"}
    found = await gathered(Scripted(says), own("abcde"), most=5, quorum=4)
    assert (len(found.voters), found.degraded) == (2, True)
    found = await gathered(Scripted({**says, "b": "yes"}), own("abcde"), most=5, quorum=4)
    assert not found.degraded
