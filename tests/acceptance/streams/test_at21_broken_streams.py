"""AT21: a stream that breaks is replaced before its first content, and says so after it."""

import json
from collections.abc import Iterator
from typing import Final, Literal

import pytest

from penstock_cli.stub import Broken, Ok
from penstock_config.provider import Timeouts
from tests.acceptance.streams.stage import PAIRS, Pair, Stage
from tests.sidecar.http.edge import Response

Place = Literal["before headers", "headers only", "role chunk", "k tokens"]
How = Literal["close", "reset", "stall", "malformed", "error"]
HOWS: Final[tuple[How, ...]] = ("close", "reset", "stall", "malformed", "error")
BEFORE_CONTENT: Final[tuple[Place, ...]] = ("before headers", "headers only", "role chunk")
TOKENS: Final = 3
SAID: Final = Ok(text="one two three four five six")
INSTEAD: Final = Ok(text="from another")
SHORT: Final = Timeouts(first_token_seconds=1, idle_seconds=1, total_seconds=20)
"""For those that stall: long enough for a busy machine to say what it has."""
with_and_without = pytest.mark.parametrize("fallback", [True, False], ids=["fallback", "alone"])


@pytest.fixture
async def patient(here: Stage) -> Stage:
    await here.publish(timeouts=SHORT)
    return here


def broken(pair: Pair, place: Place, how: How) -> Broken:
    opening = pair.kind.opening(pair.speaker)
    after = {
        "before headers": None,
        "headers only": 0,
        "role chunk": opening,
        "k tokens": opening + TOKENS,
    }
    return Broken(how, after=after[place], answer=SAID)


def faults(place: Place) -> Iterator[How]:
    """A provider that is to be malformed before its headers speaks no HTTP."""
    yield from (how for how in HOWS if place != "before headers" or how in {"close", "reset"})
    if place == "before headers":
        yield "stall"


async def each(here: Stage, place: Place, how: How, *, fallback: bool) -> dict[str, Response]:
    """Of every pair, what the caller got whose provider breaks so."""
    for pair in PAIRS:
        fake = here.main[pair.kind.type]
        fake.queue(broken(pair, place, how), model=pair.upstream_model)
    return await here.ask_all(fallback=fallback)


@pytest.mark.parametrize("place", BEFORE_CONTENT)
async def test_at21_before_content_another_answers_unseen(patient: Stage, place: Place) -> None:
    patient.always(SAID, INSTEAD)
    for how in faults(place):
        found = await each(patient, place, how, fallback=True)
        for pair in PAIRS:
            response, heard = found[str(pair)], pair.speaker.heard(found[str(pair)].body)
            where = f"{pair}, {how}: {response.body!r}"
            assert (response.status, heard.text) == (200, INSTEAD.text), where
            assert (heard.complete, heard.error) == (True, False), where
            assert response.headers["x-penstock-provider"] == f"team/{pair.kind}-backup", where
            assert response.headers["x-penstock-model"] == pair.speaker.api, where
            assert response.headers["x-penstock-attempted-fallbacks"] == "1", where


@pytest.mark.parametrize("place", BEFORE_CONTENT)
async def test_at21_before_content_who_has_no_other_gets_an_error_s_status(
    patient: Stage, place: Place
) -> None:
    patient.always(SAID, INSTEAD)
    for how in faults(place):
        found = await each(patient, place, how, fallback=False)
        for pair in PAIRS:
            response = found[str(pair)]
            where = f"{pair}, {how}: {response.body!r}"
            expected = {504} if how == "stall" else {502, 503, 529}
            assert response.status in expected, where
            assert json.loads(response.body)["error"], where
    assert not any(fake.requests for fake in patient.backup.values())


@with_and_without
@pytest.mark.parametrize("how", HOWS)
async def test_at21_after_content_the_error_is_in_band_and_there_is_no_end(
    patient: Stage, how: How, fallback: bool
) -> None:
    """Nobody takes over what a caller has begun to read, and nobody is paid twice for it."""
    patient.always(SAID, INSTEAD)
    found = await each(patient, "k tokens", how, fallback=fallback)
    for pair in PAIRS:
        response, heard = found[str(pair)], pair.speaker.heard(found[str(pair)].body)
        where = f"{pair}: {response.body!r}"
        assert (response.status, heard.text) == (200, "one two three "), where
        assert (heard.complete, heard.error) == (False, True), where
        assert response.headers["x-penstock-provider"] == f"team/{pair.kind}-main", where
    assert not any(fake.requests for fake in patient.backup.values())
