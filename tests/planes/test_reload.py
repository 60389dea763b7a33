"""A new configuration comes to work without a restart and without disturbing anybody."""

import asyncio

from penstock_cli.stub import Ok
from penstock_config.codec import digest, encode
from penstock_config.policy import Target
from tests.planes.plane import NAMESPACE, Plane, chat


async def test_a_new_configuration_rules_the_next_request(plane: Plane) -> None:
    await plane.publish(plane.config(default=Target(denied="closed for today")))
    assert (await plane.ask(chat() | {"model": "auto"})).status == 503
    await plane.publish(plane.config())
    assert (await plane.ask(chat())).status == 200


async def test_a_rotated_key_is_used_for_the_next_request(plane: Plane) -> None:
    """AT26."""
    await plane.ask(chat())
    await plane.publish(plane.config(), plane.credentials("sk-rotated"))
    await plane.ask(chat())
    keys = [seen.headers["authorization"] for seen in plane.main.requests]
    assert keys == ["Bearer sk-the-platforms-own", "Bearer sk-rotated"]


async def test_a_running_stream_is_undisturbed_by_reloads(plane: Plane) -> None:
    """The request keeps the configuration that it began with, to its end."""
    pieces = asyncio.Semaphore(1)
    plane.main.always(Ok(text="one two three", each=pieces))
    async with plane.client() as client:
        stream = await client.chat.completions.create(**chat(), stream=True)
        first = await anext(aiter(stream))
        for number in range(2):
            await plane.publish(plane.config(default=Target(denied=f"change {number}")))
        pieces.release()
        pieces.release()
        chunks = [first, *[chunk async for chunk in stream]]
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "one two three"
    assert (await plane.ask(chat() | {"model": "auto"})).status == 503


async def test_what_is_at_work_can_be_seen(plane: Plane) -> None:
    config = plane.config(default=Target(tier=f"{NAMESPACE}/solo"))
    await plane.publish(config)
    state = await plane.state()
    assert state["config_digest"] == digest(encode(config))
    assert state["policy"] == f"{NAMESPACE}/shop"
    assert state["last_error"] is None


async def test_the_files_are_looked_at_without_being_told(plane: Plane) -> None:
    plane.write(plane.config(default=Target(denied="x")))
    before = await plane.state()
    async with asyncio.timeout(10):
        while (await plane.state())["config_digest"] == before["config_digest"]:
            await plane.probe("/readyz")
