"""An attempt at an Ollama with replicas: who is asked, who next, and whose seat comes back."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

import pytest

from penstock_config.provider import Managed, Timeouts
from penstock_sidecar.errors import (
    StreamBroken,
    UpstreamConnectTimeout,
    UpstreamConnectTooLate,
    UpstreamError,
    UpstreamLost,
    UpstreamMisconfigured,
    UpstreamStarting,
    UpstreamUnavailable,
    UpstreamUnreachable,
)
from penstock_sidecar.fleet import Fleets
from penstock_sidecar.model import Answer
from penstock_sidecar.upstream.base import Call
from penstock_sidecar.upstream.chunks import Ready
from penstock_sidecar.upstream.managed import ManagedUpstream
from tests.sidecar.fleet.world import LLAMA, candidate, fleet_of, replica
from tests.sidecar.redis_store.conftest import until
from tests.sidecar.routing.builders import ManualClock, request


def unknown_model() -> UpstreamError:
    error = UpstreamMisconfigured("it is not known")
    error.provider_status = 404
    return error


class World:
    """Two replicas, the first with the model in memory; errors by the replica's address."""

    def __init__(self, managed: Managed | None = None, total_seconds: float = 600) -> None:
        self.clock = ManualClock()
        self.fleets = Fleets(self.clock, Random(1), first_look_seconds=0.001)
        found = candidate(managed, parallel=1)
        timeouts = Timeouts(total_seconds=total_seconds)
        provider = found.provider.model_copy(update={"timeouts": timeouts})
        self.candidate = replace(found, provider=provider)
        self.upstream = ManagedUpstream(self, provider, managed or Managed(), self.fleets)
        self.fleet = self.fleets.of(provider)
        self.fleet.heard(fleet_of(replica("r1", loaded=(LLAMA,)), replica("r2")))
        [watched] = self.fleets.watched()
        watched.looked_at = math.inf
        self.errors: dict[str, BaseException] = {}
        self.calls: list[Call] = []
        self.gate: asyncio.Event | None = None

    @asynccontextmanager
    async def call(self, call: Call) -> AsyncIterator[Answer]:
        """The upstream that knows the dialect."""
        self.calls.append(call)
        if self.gate:
            await self.gate.wait()
        if error := self.errors.get(call.address):
            raise error
        yield Answer(Ready(), "application/json", {"x-request-id": "1"})

    async def ask(self, error: BaseException | None = None) -> Answer:
        call = Call(request("fast"), self.candidate, None)
        async with self.upstream.call(call) as answer:
            assert sum(self.fleet.demand().at_replicas.values()) == 1
            if error:
                raise error
        return answer

    @property
    def asked(self) -> list[str]:
        return [call.address for call in self.calls]

    def all_seats_are_free(self) -> bool:
        return not self.fleet.demand().at_replicas


R1, R2 = "http://10.0.0.1:11434", "http://10.0.0.2:11434"


@pytest.fixture
def world() -> World:
    return World()


async def test_an_answer_says_who_gave_it(world: World) -> None:
    answer = await world.ask()
    assert answer.headers == {"x-request-id": "1", "x-penstock-replica": "r1"}
    assert [(call.address, call.loads) for call in world.calls] == [(R1, False)]
    assert world.all_seats_are_free()


@pytest.mark.parametrize(
    "error", [UpstreamUnreachable("no"), UpstreamConnectTimeout("no"), unknown_model()]
)
async def test_what_got_nothing_is_followed_by_the_next(world: World, error: UpstreamError) -> None:
    world.errors[R1] = error
    assert (await world.ask()).headers["x-penstock-replica"] == "r2"
    assert [(call.address, call.loads) for call in world.calls] == [(R1, False), (R2, True)]
    assert world.all_seats_are_free()


async def test_one_that_could_not_be_reached_is_not_asked_first_again(world: World) -> None:
    world.errors[R1] = UpstreamUnreachable("no")
    await world.ask()
    await world.ask()
    assert world.asked == [R1, R2, R2]


@pytest.mark.parametrize("error", [UpstreamLost("cut"), UpstreamUnavailable("500")])
async def test_what_may_have_begun_is_the_attempts_own_failure(
    world: World, error: UpstreamError
) -> None:
    world.errors[R1] = error
    with pytest.raises(type(error)):
        await world.ask()
    assert world.asked == [R1]
    assert world.all_seats_are_free()


async def test_a_retry_goes_to_another_replica_than_the_one_that_broke_off(world: World) -> None:
    world.errors[R1] = UpstreamLost("cut")
    with pytest.raises(UpstreamLost):
        await world.ask()
    await world.ask()
    assert world.asked == [R1, R2]


async def test_where_all_fail_the_last_ones_words_count(world: World) -> None:
    world.errors = {R1: UpstreamUnreachable("first"), R2: UpstreamUnreachable("second")}
    with pytest.raises(UpstreamUnreachable, match="second"):
        await world.ask()
    assert world.all_seats_are_free()


async def test_a_stream_that_breaks_gives_its_seat_back(world: World) -> None:
    with pytest.raises(StreamBroken):
        await world.ask(StreamBroken("cut"))
    assert world.all_seats_are_free()


async def test_whoever_is_cancelled_gives_his_seat_back(world: World) -> None:
    world.gate = asyncio.Event()
    asked = asyncio.create_task(world.ask())
    await until(lambda: world.calls)
    asked.cancel()
    await asyncio.wait({asked})
    assert world.all_seats_are_free()
    world.gate = None
    with pytest.raises(asyncio.CancelledError):
        await world.ask(asyncio.CancelledError())
    assert world.all_seats_are_free()


async def test_a_service_that_fails_is_not_asked_twice(world: World) -> None:
    world.fleet.heard(None)
    world.errors[""] = UpstreamUnreachable("no")
    with pytest.raises(UpstreamUnreachable):
        await world.ask()
    assert world.asked == [""]


async def test_a_fleet_that_nobody_wakes_is_refused_at_once(world: World) -> None:
    world.fleet.heard(fleet_of(message="pulling, 43 %"))
    with pytest.raises(UpstreamStarting, match="pulling, 43 %"):
        await world.ask()
    assert world.asked == []


async def test_no_wait_is_longer_than_the_provider_may_take() -> None:
    world = World(Managed(may_be_cold=True), total_seconds=0.01)
    world.fleet.heard(fleet_of())
    with pytest.raises(UpstreamStarting):
        await world.ask()
    world.fleet.heard(fleet_of(replica("r1")))
    async with world.upstream.call(Call(request("fast"), world.candidate, None)):
        with pytest.raises(UpstreamConnectTooLate):
            await world.ask()
    assert world.all_seats_are_free()
