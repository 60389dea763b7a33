"""Requests of a real sidecar to an Ollama that the operator runs, replica by replica."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import ollama
import pytest

from penstock_cli.stub import Ok, Status
from penstock_config.provider import Managed
from penstock_sidecar.upstream.managed import ManagedUpstream
from tests.planes.fleet import LLAMA, PROVIDER, House, running_house
from tests.planes.plane import Plane, chat
from tests.planes.relay import relay
from tests.sidecar.redis_store.conftest import until_it

SLEEPS = Managed(may_be_cold=True)
GIVES_WAY = Managed(may_be_cold=True, on_cold="Fallback")
PULLING = "pulling llama3.1:8b, 43 %"


@pytest.fixture
async def house(tmp_path: Path, redis_url: str) -> AsyncIterator[House]:
    async with running_house(tmp_path, redis_url) as running:
        yield running


async def test_the_replica_that_has_the_model_loaded_answers(house: House) -> None:
    await house.tell(house.replica(0), house.replica(1, loaded=True), house.replica(2))
    for _ in range(6):
        response = await house.ask()
        assert (response.status, response.headers["x-penstock-replica"]) == (200, "ollama-1")
    assert (house.served, house.service.requests) == ([0, 6, 0], [])
    ready = f'penstock_fleet_replicas_ready{{provider="{PROVIDER}"}}'
    taken = f'penstock_fleet_requests_total{{provider="{PROVIDER}",replica="loaded"}}'
    assert (await house.figure(ready), await house.figure(taken)) == (3, 6)


async def test_no_replica_gets_more_than_it_answers_at_once_and_all_are_used(house: House) -> None:
    await house.tell(*(house.replica(n, loaded=True) for n in range(3)))
    gate = asyncio.Semaphore(0)
    for replica in house.replicas:
        replica.always(Ok("fine", first=gate))
    asked = [asyncio.create_task(house.ask()) for _ in range(9)]
    await house.asked(in_flight=6, waiting=3)
    assert house.served == [2, 2, 2]
    for _ in range(9):
        gate.release()
    assert [response.status for response in await asyncio.gather(*asked)] == [200] * 9
    assert sum(house.served) == 9


async def test_a_replica_that_cannot_be_reached_is_passed_over_within_the_attempt(
    house: House,
) -> None:
    await house.tell(house.replica(0, loaded=True), house.replica(1))
    await house.replicas[0].refuse()
    for _ in range(3):
        response = await house.ask()
        assert (response.status, response.headers["x-penstock-replica"]) == (200, "ollama-1")
        assert response.headers["x-penstock-attempted-retries"] == "0"


async def test_a_replica_that_has_lost_the_model_is_passed_over_too(house: House) -> None:
    await house.tell(house.replica(0, loaded=True), house.replica(1))
    house.replicas[0].always(Status(404))
    assert (await house.ask()).headers["x-penstock-replica"] == "ollama-1"


async def test_no_replica_that_answers_is_the_attempts_own_failure(house: House) -> None:
    await house.tell(house.replica(0), house.replica(1))
    for replica in house.replicas:
        await replica.refuse()
    response = await house.ask()
    assert (response.status, response.error["code"]) == (502, "upstream_error")
    assert (await house.ask("either")).headers["x-penstock-model"] == "large"


async def test_a_request_wakes_a_fleet_and_is_answered_by_its_first_replica(house: House) -> None:
    await house.publish(SLEEPS)
    await house.tell(message=PULLING, wanted=1)
    asked = asyncio.create_task(house.ask())
    await house.asked(waiting=1)
    await house.tell(house.replica(2, loaded=True))
    response = await asked
    assert (response.status, response.headers["x-penstock-replica"]) == (200, "ollama-2")
    assert int(response.headers["x-penstock-replica-wait-ms"]) > 0
    starts = f'penstock_fleet_cold_starts_total{{provider="{PROVIDER}"}}'
    assert await house.figure(starts) == 1


async def test_whoever_waits_in_vain_hears_what_is_being_done(house: House) -> None:
    await house.publish(SLEEPS, seconds=1)
    await house.tell(message=PULLING, wanted=1)
    response = await house.ask()
    assert (response.status, response.error["code"]) == (503, "replicas_starting")
    assert PULLING in str(response.error["message"])
    assert response.headers["retry-after"] == "7"
    await house.asked(waiting=1)  # it is wanted for a little longer
    assert (await house.ask()).status == 503


async def test_others_serve_while_a_fleet_is_woken(house: House) -> None:
    await house.publish(GIVES_WAY)
    await house.tell(message=PULLING, wanted=1)
    response = await house.plane.ask(
        {"model": "either", "messages": [{"role": "user", "content": "Hi"}]},
        **{"x-penstock-debug": "true"},
    )
    assert (response.status, response.headers["x-penstock-model"]) == (200, "large")
    debug = json.loads(response.headers["x-penstock-debug"])
    assert [(d["candidate"], d["kind"]) for d in debug["dropped"]] == [
        (f"{PROVIDER}/llama", "cold")
    ]
    assert PULLING in debug["dropped"][0]["reason"]
    last = debug["candidates"][-1]
    assert last["replicas"] == {"ready": 0, "loaded": 0, "inFront": 0, "doing": PULLING}
    await house.asked(waiting=1)
    await house.tell(house.replica(0, loaded=True))

    async def awake() -> bool:
        return (await house.ask("either")).headers["x-penstock-model"] == "llama"

    await until_it(awake)


async def test_the_last_candidate_waits_though_it_would_give_way(house: House) -> None:
    await house.publish(GIVES_WAY)
    await house.tell(wanted=1)
    house.plane.backup.always(Status(500))
    asked = asyncio.create_task(house.ask("either"))
    await house.asked(waiting=1)
    await house.tell(house.replica(0, loaded=True))
    assert (await asked).headers["x-penstock-replica"] == "ollama-0"


async def test_a_fleet_that_nobody_wakes_is_not_waited_for(house: House) -> None:
    await house.tell(house.replica(0, ready=False), message=PULLING, wanted=1)
    response = await house.ask()
    assert (response.status, response.error["code"]) == (503, "replicas_starting")
    assert PULLING in str(response.error["message"])
    assert (await house.ask("either")).headers["x-penstock-model"] == "large"
    opened = f'penstock_breaker_state{{endpoint="chat",model="llama",provider="{PROVIDER}"}}'
    assert await house.figure(opened) == 0


async def test_whoever_leaves_takes_his_seat_and_his_place_along(house: House) -> None:
    await house.publish(parallel=1)
    await house.tell(house.replica(0, loaded=True))
    house.replicas[0].queue(Ok(first=asyncio.Event()))
    goes = asyncio.Event()
    seated = asyncio.create_task(house.ask_and_leave(goes))
    await house.asked(in_flight=1)
    waiting = asyncio.create_task(house.ask_and_leave(goes))
    await house.asked(in_flight=1, waiting=1)
    goes.set()
    await asyncio.gather(seated, waiting)
    assert (await house.ask()).status == 200
    await house.asked()


async def test_a_sidecar_that_ends_takes_its_word_back(house: House) -> None:
    await house.tell(house.replica(0, loaded=True))
    await house.ask()
    await house.asked(in_flight=1)
    await house.plane.sidecar.close()
    assert await house.demands() == []


async def test_without_a_word_of_the_operator_the_service_answers(house: House) -> None:
    response = await house.ask()
    assert response.status == 200
    assert "x-penstock-replica" not in response.headers
    assert (len(house.service.requests), house.served) == (1, [0, 0, 0])


async def test_without_redis_replicas_answer_as_long_as_they_are_known(
    tmp_path: Path, redis_url: str
) -> None:
    async with relay(redis_url) as way, running_house(tmp_path, redis_url, way.url) as house:
        await house.tell(house.replica(0, loaded=True))
        assert (await house.ask()).headers["x-penstock-replica"] == "ollama-0"
        await way.cut()
        for _ in range(3):
            assert (await house.ask()).headers["x-penstock-replica"] == "ollama-0"


async def test_without_redis_from_the_start_the_service_answers(
    tmp_path: Path, redis_url: str
) -> None:
    async with relay(redis_url) as way, running_house(tmp_path, redis_url, way.url) as house:
        await house.tell(house.replica(0, loaded=True))
        await way.cut()
        assert (await house.ask()).status == 200
        assert (len(house.service.requests), house.served) == (1, [0, 0, 0])


@pytest.mark.parametrize(("seconds", "told"), [(300, 300), (None, -1)])
async def test_how_long_a_model_stays_loaded_is_the_platforms_to_say(
    house: House, seconds: int | None, told: int
) -> None:
    await house.publish(Managed(keep_alive_seconds=seconds))
    await house.tell(house.replica(0, loaded=True))
    said = [{"role": "user", "content": "Hi"}]
    chat = {"model": "llama", "messages": said, "stream": False, "keep_alive": "24h"}
    await house.ollama("/api/chat", chat)
    await house.ollama("/api/generate", {"model": "llama", "prompt": "Hi", "keep_alive": 0})
    await house.ollama("/api/embed", {"model": "llama", "input": "Hi", "keep_alive": "1h"})
    await house.ask()
    assert [seen.path for seen in house.replicas[0].requests] == [
        "/api/chat", "/api/generate", "/api/embed", "/api/chat",
    ]  # fmt: skip
    assert [seen.body["keep_alive"] for seen in house.replicas[0].requests] == [told] * 4


async def test_the_official_clients_are_answered_by_replicas(house: House) -> None:
    await house.tell(house.replica(0, loaded=True))
    house.replicas[0].always(Ok("All is well."))
    url = f"http://localhost:{house.plane.ports.application}"
    async with ollama.AsyncClient(host=url) as client:
        answer = await client.chat("local", [{"role": "user", "content": "Hi"}])
        assert answer.message.content == "All is well."
    async with house.plane.client() as openai:
        stream = await openai.chat.completions.create(
            model="local", messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        parts = [c.choices[0].delta.content or "" async for c in stream if c.choices]
    assert "".join(parts) == "All is well."
    assert {seen.model for seen in house.replicas[0].requests} == {LLAMA}


async def test_without_a_provider_of_ours_nothing_of_this_is_done(plane: Plane) -> None:
    assert (await plane.ask(chat())).status == 200
    runtime = plane.sidecar._holder.peek()
    assert runtime
    assert runtime.pipeline
    assert runtime.pipeline.fleets is None
    upstreams = runtime.pipeline.means.upstreams.values()
    assert not any(isinstance(each, ManagedUpstream) for each in upstreams)
