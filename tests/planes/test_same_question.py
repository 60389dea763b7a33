"""Who waits for another one's answer, as he sees it."""

import asyncio
import json
from collections import Counter
from typing import Any

import pytest

from penstock_cli.stub import Ok, Status
from penstock_config.cache import Cache, ExactCache
from penstock_config.policy import Target
from tests.planes.plane import NAMESPACE, Plane, chat, tier
from tests.sidecar.http.edge import Response, connection, post
from tests.sidecar.redis_store.conftest import until_it

CACHED = Cache(exact=ExactCache())


async def all_are_there(plane: Plane, count: int = 2) -> None:
    async def there() -> bool:
        return int((await plane.state())["in_flight"]) == count

    await until_it(there)


async def led_and_followed(plane: Plane, **fields: Any) -> tuple[Response, Response]:
    """The leader's answer comes a second after the follower."""
    answer = asyncio.Event()
    plane.main.queue(Ok("for both", first=answer))
    leader = asyncio.create_task(plane.ask(chat()))
    await plane.main.request()
    follower = asyncio.create_task(plane.ask(chat(**fields)))
    await all_are_there(plane)
    await asyncio.sleep(1)
    answer.set()
    return await leader, await follower


async def test_his_wait_is_no_time_of_ours_and_his_answer_costs_nothing(plane: Plane) -> None:
    await plane.publish(plane.config(cache=CACHED))
    leader, follower = await led_and_followed(plane)
    assert follower.status == 200
    assert follower.body == leader.body
    assert follower.headers["x-penstock-cache"] == "hit-exact"
    assert follower.headers["x-penstock-cost-usd"] == "0.000000"
    assert follower.headers["x-penstock-cost-saved-usd"] == leader.headers["x-penstock-cost-usd"]
    assert float(follower.headers["x-penstock-overhead-ms"]) < 1000
    assert len(plane.main.requests) == 1


async def test_a_stream_may_wait_for_a_plain_answer(plane: Plane) -> None:
    await plane.publish(plane.config(cache=CACHED))
    _, follower = await led_and_followed(plane, stream=True)
    assert follower.headers["x-penstock-cache"] == "hit-exact"
    assert follower.body.endswith(b"data: [DONE]\n\n")
    assert b"for" in follower.body


async def test_a_stream_that_is_in_a_hurry_asks_in_time_for_itself(plane: Plane) -> None:
    """Half of its time it waits for one that does not end; in the other its own first words come.
    A plain answer would have come later than the other's."""
    await plane.publish(plane.config(cache=CACHED))
    plane.main.queue(Ok("one two", each=asyncio.Semaphore(1)), Ok("my own"))
    leader = asyncio.create_task(plane.ask(chat(stream=True)))
    await plane.main.request()
    hurry = {"x-stainless-read-timeout": "4"}
    follower = await plane.ask(chat(stream=True), **hurry)
    assert follower.status == 200
    assert b"own" in follower.body
    assert follower.headers["x-penstock-cache"] == "miss"
    leader.cancel()


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_an_answer_whose_caller_has_left_is_for_those_who_wait(
    plane: Plane, stream: bool
) -> None:
    """Where the provider is heard to the end, since it is paid to the end."""
    config = plane.config(cache=CACHED)
    drained = config.providers[0].model_copy(update={"drain_seconds": 60})
    await plane.publish(config.model_copy(update={"providers": (drained, *config.providers[1:])}))
    rest = asyncio.Semaphore(1 if stream else 0)
    plane.main.queue(Ok("for others", first=None if stream else rest, each=rest))
    async with connection(plane.ports.application) as (reader, writer):
        writer.write(post(json.dumps(chat(stream=stream)).encode()))
        await plane.main.request()
        if stream:
            await reader.readuntil(b"for")
        follower = asyncio.create_task(plane.ask(chat()))
        await all_are_there(plane)
    for _ in range(3):
        rest.release()
    assert (await follower).headers["x-penstock-cache"] == "hit-exact"
    assert len(plane.main.requests) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_where_another_tier_had_to_answer_the_next_one_asks(
    plane: Plane, stream: bool
) -> None:
    """What it said is not kept; the tier that was meant may be back, or was only the leader's to
    do without."""
    config = plane.config(default=Target(tier=f"{NAMESPACE}/solo"), cache=CACHED)
    solo = tier("solo", ("main", "small")).model_copy(
        update={"fallback_tiers": (f"{NAMESPACE}/other",)}
    )
    tiers = (config.tiers[0], solo, tier("other", ("backup", "large")))
    policies = (config.policies[0].model_copy(update={"tiers": tuple(t.id for t in tiers)}),)
    await plane.publish(config.model_copy(update={"tiers": tiers, "policies": policies}))
    failing = asyncio.Event()
    plane.main.queue(Status(500, first=failing))
    plane.main.always(Ok("as meant"))
    plane.backup.always(Ok("instead"))
    body = chat(model="auto", stream=stream)
    asking = [asyncio.create_task(plane.ask(body)) for _ in range(4)]
    await all_are_there(plane, len(asking))
    failing.set()
    found = [await each for each in asking]
    results = Counter(
        (each.headers["x-penstock-tier"], each.headers["x-penstock-cache"]) for each in found
    )
    assert results == {("other", "miss"): 1, ("solo", "miss"): 1, ("solo", "hit-exact"): 2}
