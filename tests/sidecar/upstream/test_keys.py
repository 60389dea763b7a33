import traceback
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from penstock_cli.stub import Seen, Status, StubProvider
from penstock_config.provider import Auth
from penstock_sidecar.errors import UpstreamCredentials, UpstreamError, UpstreamLimited
from penstock_sidecar.upstream import open_session
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


LONG = tuple(f"key-{number} of/+=&?" for number in range(3))
SCHEMES: tuple[tuple[Auth, Callable[[Seen], str]], ...] = (
    (Auth(), lambda seen: seen.headers["authorization"].removeprefix("Bearer ")),
    (Auth(scheme="Header", name="x-api-key"), lambda seen: seen.headers["x-api-key"]),
    (Auth(scheme="Header", name="api-key"), lambda seen: seen.headers["api-key"]),
    (Auth(scheme="Header", name="x-goog-api-key"), lambda seen: seen.headers["x-goog-api-key"]),
    (Auth(scheme="Query", name="key"), lambda seen: seen.query["key"]),
)
each_scheme = pytest.mark.parametrize(
    ("auth", "key_of"), SCHEMES, ids=[f"{auth.scheme}-{auth.name}" for auth, _ in SCHEMES]
)


@each_scheme
@pytest.mark.parametrize("status", [401, 403, 429])
async def test_a_key_turned_away_or_at_its_limit_gives_way_within_the_call(
    stub: StubProvider, acme: Acme, auth: Auth, key_of: Callable[[Seen], str], status: int
) -> None:
    acme.keys, acme.auth = LONG, auth
    upstream = acme.upstream()
    stub.queue(Status(status, retry_after="30"), Status(status))
    assert (await read(upstream, acme.prepare())).finish == "stop"
    assert (await read(upstream, acme.prepare())).finish == "stop"
    assert [key_of(seen) for seen in stub.requests] == [*LONG, LONG[2]]


@pytest.mark.parametrize("auth", [auth for auth, _ in SCHEMES])
async def test_a_key_is_in_no_error_and_in_no_log(
    stub: StubProvider,
    acme: Acme,
    auth: Auth,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nor what a URL makes of it, which a provider may repeat."""
    caplog.set_level("DEBUG")
    acme.keys, acme.auth = LONG[:1], auth
    spelled = (LONG[0], quote(LONG[0]), quote(LONG[0], safe=""), quote_plus(LONG[0]))
    stub.queue(Status(400, f"bad request: {' and '.join(spelled)}"))
    errors: list[UpstreamError] = []
    for break_off in (False, True):
        if break_off:
            await stub.refuse()
        with pytest.raises(UpstreamError) as caught:
            await acme.ask()
        errors.append(caught.value)
    told = "".join(
        [*("".join(traceback.format_exception(e)) + e.public for e in errors), caplog.text]
    )
    assert "bad request: [redacted]" in told
    assert not [form for form in spelled if form in told]


async def test_when_all_keys_are_limited_the_first_that_may_serve_says_when(
    stub: StubProvider, acme: Acme
) -> None:
    acme.keys = ("one", "two", "three")
    stub.queue(Status(429, retry_after="30"), Status(401), Status(429, retry_after="7"))
    with pytest.raises(UpstreamLimited) as caught:
        await acme.ask()
    assert caught.value.retry_after_seconds == 7


async def test_a_limited_key_rests_as_long_as_it_is_told_to(stub: StubProvider) -> None:
    clock = ManualClock()
    async with open_session() as session:
        acme = Acme(stub, session, keys=("one", "two"), clock=clock)
        upstream = acme.upstream()
        stub.queue(Status(429, retry_after="30"))
        for clock.now in (0, 29, 30):
            await read(upstream, acme.prepare())
        stub.queue(Status(401))
        await read(upstream, acme.prepare())
    assert used(stub) == ["one", "two", "two", "two", "two", "one"]


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
