"""A caller that leaves: once it has its whole answer it was served, before that it has asked."""

import asyncio
import json
from dataclasses import dataclass, field

import pytest

from penstock_cli.stub import Broken, Ok
from penstock_config.cache import Cache, ExactCache
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from penstock_sidecar.model import Outcome, Recorder
from tests.planes.plane import Plane, chat
from tests.sidecar.http.edge import connection, post

PIECES_OF_ONE_WORD = 5
"""Role, word, finish, usage, `[DONE]`."""


@dataclass
class Outcomes:
    """Hears what the sidecar's recorder hears."""

    inner: Recorder
    heard: "asyncio.Queue[Outcome]" = field(default_factory=asyncio.Queue)

    def request_ended(self, outcome: Outcome) -> None:
        self.inner.request_ended(outcome)
        self.heard.put_nowait(outcome)


@pytest.fixture
def outcomes(plane: Plane) -> Outcomes:
    heard = Outcomes(plane.sidecar._shared.recorder)
    plane.sidecar._shared.recorder = heard
    return heard


async def test_openai_s_client_leaves_at_done_and_was_served(
    plane: Plane, outcomes: Outcomes
) -> None:
    """It closes the connection there, whether or not the provider has ended its response."""
    await plane.publish(plane.config(cache=Cache(exact=ExactCache(ttl_seconds=60))))
    plane.main.queue(Broken("stall", after=PIECES_OF_ONE_WORD, answer=Ok(text="one")))
    async with plane.client() as client:
        stream = await client.chat.completions.create(**chat(), stream=True)
        assert [chunk async for chunk in stream]
    outcome = await outcomes.heard.get()
    assert (outcome.status, outcome.error_type) == (200, "")
    again = await plane.ask(chat(stream=True))
    assert again.headers["x-penstock-cache"] == "hit-exact"


async def test_who_leaves_with_a_plain_answer_was_served(plane: Plane, outcomes: Outcomes) -> None:
    """While the answer is being put into the cache."""
    await plane.publish(plane.config(cache=Cache(exact=ExactCache(ttl_seconds=60))))
    for number in range(50):
        await plane.ask(chat(str(number)))
        outcome = await outcomes.heard.get()
        assert (outcome.status, outcome.error_type) == (200, "")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_leaving_before_the_answer_uses_up_the_caller_s_limit(
    plane: Plane, stream: bool
) -> None:
    """A provider was set to work: else a limit would be passed by hanging up in time."""
    limits = RateLimits(requests_per_minute=1, concurrent_requests=1)
    await plane.publish(plane.config(limits=(CallerLimit(name="a", per="App", limits=limits),)))
    plane.main.always(Ok(first=asyncio.Event()))
    async with connection(plane.ports.application) as (_, writer):
        writer.write(post(json.dumps(chat(stream=stream)).encode()))
        seen = await plane.main.request()
    await seen.disconnected.wait()
    plane.main.always(Ok())
    response = await plane.ask(chat())
    assert (response.status, response.error["code"]) == (429, "rate_limit_exceeded")
