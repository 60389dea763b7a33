import pytest

from penstock_cli.stub import Status, StubProvider
from penstock_sidecar.errors import UpstreamCredentials, UpstreamLimited
from penstock_sidecar.upstream.keys import KeyRing
from tests.sidecar.upstream.conftest import Acme, read


class ManualClock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def utc(self) -> float:
        return self.now


def used(stub: StubProvider) -> list[str]:
    return [seen.headers["authorization"].removeprefix("Bearer ") for seen in stub.requests]


async def test_a_rejected_key_gives_way_to_the_next_within_the_call(
    stub: StubProvider, acme: Acme
) -> None:
    acme.keys = ("one", "two")
    upstream = acme.upstream()
    stub.queue(Status(401))
    await read(upstream, acme.prepare())
    await read(upstream, acme.prepare())
    assert used(stub) == ["one", "two", "two"]


async def test_every_key_rejected_is_an_error_of_ours(stub: StubProvider, acme: Acme) -> None:
    acme.keys = ("one", "two")
    stub.always(Status(401))
    with pytest.raises(UpstreamCredentials):
        await acme.ask()
    assert used(stub) == ["one", "two"]


async def test_a_limited_key_rests_from_the_next_call_on(stub: StubProvider, acme: Acme) -> None:
    acme.keys = ("one", "two")
    upstream = acme.upstream()
    stub.queue(Status(429, retry_after="30"))
    with pytest.raises(UpstreamLimited):
        await read(upstream, acme.prepare())
    await read(upstream, acme.prepare())
    assert used(stub) == ["one", "two"]


def test_a_key_that_rested_enough_serves_again() -> None:
    clock = ManualClock()
    ring = KeyRing(["one", "two"], clock)
    ring.pause(0, 10)
    ring.pause(1, 20)
    assert [key for _, key in ring.candidates()] == ["one"]
    clock.now = 10
    assert [key for _, key in ring.candidates()] == ["one"]
    clock.now = 20
    assert [key for _, key in ring.candidates()] == ["one", "two"]


def test_a_longer_pause_is_not_shortened() -> None:
    clock = ManualClock()
    ring = KeyRing(["one", "two"], clock)
    ring.pause(0, 60)
    ring.pause(0, 1)
    clock.now = 2
    assert [key for _, key in ring.candidates()] == ["two"]


async def test_the_only_key_is_always_tried(stub: StubProvider, acme: Acme) -> None:
    upstream = acme.upstream()
    stub.queue(Status(401))
    with pytest.raises(UpstreamCredentials):
        await read(upstream, acme.prepare())
    assert (await read(upstream, acme.prepare())).finish == "stop"
