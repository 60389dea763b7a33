"""What sidecars ask of managed providers, and what they are told, in a real Redis."""

from collections.abc import AsyncIterator, Iterator

import pytest
import redis

from penstock_config.fleet import (
    FLEET_EXPIRY_SECONDS,
    Demand,
    Fleet,
    Replica,
    decode_fleet,
)
from penstock_config.layout import Group
from penstock_operator.ledger.fleet import (
    FORGOTTEN_SECONDS,
    MAX_REQUESTS,
    UNREAD_SECONDS,
    Asked,
    read_demand,
    write_fleets,
)
from penstock_operator.ledger.store import LedgerAway, Store, opened
from penstock_operator.settings import Settings

OWN = Group.of_provider("test", "llm/own")


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[Store]:
    async with opened(Settings(cluster="test", redis_url=redis_url)) as found:
        yield found


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as found:
        yield found


def demand(at: float, in_flight: dict[str, int], waiting: dict[str, int] | None = None) -> str:
    return Demand(at=at, in_flight=in_flight, waiting=waiting or {}).model_dump_json()


async def test_demand_of_all_sidecars_is_added_up(store: Store, client: redis.Redis) -> None:
    now = await store.now()
    client.hset(OWN.demand, "one", demand(now, {"a": 2, "b": 1}, {"a": 1}))
    client.hset(OWN.demand, "two", demand(now - 5, {"a": 3}))
    found = await read_demand(store, "test", ["llm/own", "llm/idle"])
    assert found == {
        "llm/own": Asked({"a": 5, "b": 1}, {"a": 1}),
        "llm/idle": Asked(),
    }


async def test_who_fell_silent_asks_nothing_and_is_forgotten_later(
    store: Store, client: redis.Redis
) -> None:
    now = await store.now()
    client.hset(OWN.demand, "silent", demand(now - 20, {"a": 9}))
    client.hset(OWN.demand, "gone", demand(now - FORGOTTEN_SECONDS - 1, {"a": 9}))
    client.hset(OWN.demand, "ahead", demand(now + 3600, {"a": 9}))
    assert await read_demand(store, "test", ["llm/own"]) == {"llm/own": Asked()}
    assert set(client.hkeys(OWN.demand)) == {b"silent", b"ahead"}


async def test_what_nobody_reads_any_more_is_gone_by_itself(
    store: Store, client: redis.Redis
) -> None:
    """As of a provider that was deleted while a sidecar was killed."""
    client.hset(OWN.demand, "one", demand(await store.now(), {"a": 1}))
    await read_demand(store, "test", ["llm/own"])
    left = client.ttl(OWN.demand)
    assert isinstance(left, int)
    assert 0 < left <= UNREAD_SECONDS


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"at": "x"}', b"\xff"])
async def test_what_is_no_demand_is_removed(store: Store, client: redis.Redis, data: bytes) -> None:
    now = await store.now()
    client.hset(OWN.demand, "bad", data)
    client.hset(OWN.demand, "good", demand(now, {"a": 1}))
    assert await read_demand(store, "test", ["llm/own"]) == {"llm/own": Asked({"a": 1}, {})}
    assert client.hkeys(OWN.demand) == [b"good"]


async def test_numbers_that_nobody_can_mean_are_bounded(store: Store, client: redis.Redis) -> None:
    now = await store.now()
    client.hset(OWN.demand, "one", demand(now, {"a": 10**15, "b": -7, "c": 0}))
    assert await read_demand(store, "test", ["llm/own"]) == {
        "llm/own": Asked({"a": MAX_REQUESTS}, {})
    }


async def test_a_key_of_another_kind_says_nothing_of_its_provider_alone(
    store: Store, client: redis.Redis
) -> None:
    client.set(OWN.demand, "x")
    assert await read_demand(store, "test", ["llm/own", "llm/b"]) == {"llm/b": Asked()}


async def test_nobody_is_asked_about_nobody(store: Store) -> None:
    assert await read_demand(store, "test", []) == {}
    await write_fleets(store, "test", {}, {})


async def test_a_fleet_is_told_and_goes_by_itself(store: Store, client: redis.Redis) -> None:
    replica = Replica(name="p", address="http://[fd00::7]:11434", ready=True, models=("m",))
    fleet = Fleet(at=await store.now(), replicas=(replica,), wanted=2, message="pulling m, 43 %")
    await write_fleets(store, "test", {"llm/own": fleet}, {"llm/own": ["shop", "team"]})
    for key in (Group.of_namespace("test", name).fleet("llm/own") for name in ("shop", "team")):
        data = client.get(key)
        assert isinstance(data, bytes)
        assert decode_fleet(data) == fleet
        left = client.pttl(key)
        assert isinstance(left, int)
        assert 0 < left <= FLEET_EXPIRY_SECONDS * 1000
    assert len(client.keys("*fleet*")) == 2, "who does not use it is not told"


async def test_without_redis_somebody_hears_of_it() -> None:
    settings = Settings(cluster="test", redis_url="redis://127.0.0.1:1")
    async with opened(settings) as store:
        with pytest.raises(LedgerAway):
            await read_demand(store, "test", ["llm/own"])
        with pytest.raises(LedgerAway):
            await write_fleets(store, "test", {"llm/own": Fleet(at=1.0)}, {"llm/own": ["shop"]})
