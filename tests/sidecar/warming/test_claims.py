"""Prompts that wait in a policy's stream, each claimed by one of its sidecars."""

import pytest

from penstock_config.acl import acl_rules, cache_tag
from penstock_config.cache_layout import warming
from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.store import StoreUnavailable
from penstock_sidecar.warming.claims import GIVEN_UP_MS, Claims

STREAM = warming("c", "shop", "main")


async def add(store: RedisStore, *prompts: str, id_: str = "*") -> None:
    for prompt in prompts:
        await store.command("XADD", STREAM, id_, "prompt", prompt)


def prompts(claimed: object) -> list[str]:
    assert isinstance(claimed, list)
    return [entry.fields[b"prompt"].decode() for entry in claimed]


async def test_each_prompt_is_claimed_once(store: RedisStore) -> None:
    await add(store, "a", "b", "c")
    first, second = Claims(store, STREAM, "one"), Claims(store, STREAM, "two")
    assert prompts(await first.take(2)) == ["a", "b"]
    assert prompts(await second.take(2)) == ["c"]
    assert await first.take(2) == []


async def test_without_a_stream_there_is_nothing_and_nothing_is_made(store: RedisStore) -> None:
    assert await Claims(store, STREAM, "one").take(2) == []
    assert await store.command("EXISTS", STREAM) == 0


async def test_what_a_dead_sidecar_claimed_is_claimed_again(store: RedisStore) -> None:
    await add(store, "a", "b")
    gone = Claims(store, STREAM, "gone")
    [done, _] = await gone.take(2)
    await gone.done(done)
    assert await Claims(store, STREAM, "heir").take(2) == []
    assert prompts(await Claims(store, STREAM, "heir", idle_ms=0).take(2)) == ["b"]


async def test_left_prompts_come_before_new_ones(store: RedisStore) -> None:
    await add(store, "a")
    await Claims(store, STREAM, "gone").take(1)
    await add(store, "b", "c")
    assert prompts(await Claims(store, STREAM, "heir", idle_ms=0).take(2)) == ["a", "b"]


async def test_what_nobody_finishes_is_given_up_in_the_end(store: RedisStore) -> None:
    seconds, _ = map(int, await store.command("TIME"))  # type: ignore[call-overload]  # two numbers
    await add(store, "a", id_=f"{seconds * 1000 - GIVEN_UP_MS - 1}-0")
    assert prompts(await Claims(store, STREAM, "gone").take(1)) == ["a"]
    heir = Claims(store, STREAM, "heir", idle_ms=0)
    assert await heir.take(1) == []
    await add(store, "b")
    assert prompts(await heir.take(2)) == ["b"]


async def test_a_namespaces_user_may_claim(store: RedisStore, each_redis_url: str) -> None:
    rules = acl_rules((cache_tag("c", "shop"),))
    await store.command("ACL", "SETUSER", "warm", "reset", "on", "nopass", *rules)
    own = RedisStore(RedisAccess(url=each_redis_url, username="warm", password="x"))
    await own.first_try()
    try:
        await add(store, "a")
        claims = Claims(own, STREAM, "one", idle_ms=0)
        assert prompts(await claims.take(1)) == ["a"]
        [again] = await claims.take(1)
        await claims.done(again)
        assert await claims.take(1) == []
        with pytest.raises(StoreUnavailable):
            await Claims(own, warming("c", "other", "main"), "one").take(1)
    finally:
        await own.close()
        await store.command("ACL", "DELUSER", "warm")
