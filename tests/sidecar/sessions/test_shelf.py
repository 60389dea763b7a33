"""What lies of sessions in Redis, on every server there is."""

import asyncio
from typing import Any

import pytest
import redis.asyncio
from pydantic import SecretStr

from penstock_config.acl import acl_rules, cache_tag
from penstock_config.credentials import RedisAccess
from penstock_sidecar.model import Caller
from penstock_sidecar.redis_store import RedisStore, connect
from penstock_sidecar.redis_store.slots import slot_of
from penstock_sidecar.sessions import shelf as shelf_module
from penstock_sidecar.sessions.shelf import (
    MAX_PENDING_TURNS,
    MAX_SESSION_BYTES,
    MAX_TURN_BYTES,
    Shelf,
)
from penstock_sidecar.sessions.turns import Summary, Turn
from tests.sidecar.sessions.builders import ADA, shelf
from tests.sidecar.sessions.conftest import PATIENT_SECONDS


def key_of(of: Shelf, caller: Caller = ADA, name: str = "s") -> str:
    key = of.key(caller, name)
    assert key is not None
    return key


async def append(
    of: Shelf, text: str, *, resumed: bool = False, name: str = "s", erased: bytes = b""
) -> Any:
    key, user = key_of(of, name=name), {"role": "user", "content": text}
    return await of.append(key, "openai-chat", user, f"{text}!", resumed=resumed, erased=erased)


async def said(of: Shelf, name: str = "s") -> list[str]:
    found = await of.found(key_of(of, name=name))
    return [p.text if isinstance(p, Summary) else str(p.user["content"]) for p in found.pieces]


async def test_turns_lie_in_their_order_and_the_oldest_go(each_store: RedisStore) -> None:
    of = shelf(each_store, messages=6)
    for text in ("one", "two", "three", "four"):
        assert await append(of, text) == ()
    assert await said(of) == ["two", "three", "four"]


async def test_equal_turns_are_two(each_store: RedisStore) -> None:
    of = shelf(each_store)
    await append(of, "Again.")
    await append(of, "Again.")
    assert await said(of) == ["Again.", "Again."]


async def test_turns_added_at_once_are_all_there_and_whole(each_store: RedisStore) -> None:
    of = shelf(each_store, messages=200)
    wanted = [f"turn {number}" for number in range(50)]
    await asyncio.gather(*(append(of, text) for text in wanted))
    found = await of.found(key_of(of))
    turns = [piece for piece in found.pieces if isinstance(piece, Turn)]
    assert sorted(str(t.user["content"]) for t in turns) == sorted(wanted)
    assert all(t.answer == f"{t.user['content']}!" for t in turns)


async def test_what_is_to_be_summed_up_lies_there_until_it_is(each_store: RedisStore) -> None:
    of = shelf(each_store, messages=4, summarise=True)
    assert [await append(of, text) for text in ("one", "two")] == [(), ()]
    older = await append(of, "three")
    assert [piece.user["content"] for piece in older] == ["one"]
    assert await said(of) == ["two", "three"]
    await of.condense(key_of(of), older, "One was said.")
    assert await said(of) == ["One was said.", "two", "three"]
    older = await append(of, "four")
    assert [type(piece) for piece in older] == [Summary, Turn]
    await of.condense(key_of(of), older, "One and two were said.")
    assert await said(of) == ["One and two were said.", "three", "four"]


async def test_turns_that_could_not_be_summed_up_are_forgotten(each_store: RedisStore) -> None:
    of = shelf(each_store, messages=2, summarise=True)
    await append(of, "one")
    await of.condense(key_of(of), await append(of, "two"), "One was said.")
    older = await append(of, "three")
    await of.condense(key_of(of), older, "")
    assert await said(of) == ["One was said.", "three"]
    assert [p.text for p in await append(of, "four") if isinstance(p, Summary)] == ["One was said."]


async def test_turns_nobody_sums_up_are_bounded(each_store: RedisStore) -> None:
    of = shelf(each_store, messages=4, summarise=True)
    for number in range(2 * MAX_PENDING_TURNS):
        older = await append(of, str(number))
    wanted = range(MAX_PENDING_TURNS - 2, 2 * MAX_PENDING_TURNS - 2)
    assert [piece.user["content"] for piece in older] == [str(number) for number in wanted]


async def test_of_two_summaries_of_the_same_turns_the_first_holds(each_store: RedisStore) -> None:
    of = shelf(each_store, messages=2, summarise=True)
    await append(of, "one")
    older = await append(of, "two")
    await of.condense(key_of(of), older, "The first.")
    await of.condense(key_of(of), older, "The second.")
    assert await said(of) == ["The first.", "two"]


async def test_an_erased_session_is_not_brought_back(each_store: RedisStore) -> None:
    """Neither by a summary nor by an answer that were under way."""
    of = shelf(each_store, messages=2, summarise=True)
    await append(of, "one")
    older = await append(of, "two")
    assert await of.erase(key_of(of))
    await of.condense(key_of(of), older, "One was said.")
    await append(of, "three", resumed=True)
    assert await said(of) == []
    assert not await of.erase(key_of(of))


async def test_a_turn_that_began_before_its_session_was_erased_begins_no_new_one(
    each_store: RedisStore,
) -> None:
    """Whether there was one when it began or not, and also where the next one is there by now."""
    of = shelf(each_store)
    before = await of.found(key_of(of))
    await append(of, "one")
    assert await of.erase(key_of(of))
    await append(of, "two", erased=before.erased)
    assert await said(of) == []
    after = await of.found(key_of(of))
    await append(of, "three", erased=after.erased)
    await append(of, "four", erased=before.erased)
    assert await said(of) == ["three"]
    assert await of.erase(key_of(of))
    await append(of, "five", erased=after.erased)
    assert await said(of) == []


async def test_that_it_was_erased_is_known_for_a_day_and_in_its_slot(
    store: RedisStore, books: Any
) -> None:
    of = shelf(store)
    assert not await of.erase(key_of(of))
    (mark,) = await books.keys("*")
    assert mark.startswith(b"c:c:team:s1:{")
    assert slot_of(mark) == slot_of(key_of(of))
    assert 86_400_000 < await books.pttl(mark) <= 90_000_000


async def test_a_session_that_is_too_large_loses_its_oldest_turns(each_store: RedisStore) -> None:
    of = shelf(each_store, messages=200)
    long = "x" * (MAX_TURN_BYTES // 2 - 200)
    for number in range(12):
        await append(of, f"{number} {long}")
    found = await of.found(key_of(of))
    assert sum(len(piece.member) for piece in found.pieces) <= MAX_SESSION_BYTES
    assert [text.split()[0] for text in await said(of)] == ["8", "9", "10", "11"]


async def test_a_turn_that_is_too_large_is_not_kept(store: RedisStore) -> None:
    of = shelf(store)
    await append(of, "x" * MAX_TURN_BYTES)
    assert await said(of) == []


async def test_a_session_ends_when_it_is_idle(
    store: RedisStore, books: "redis.asyncio.Redis"
) -> None:
    of = shelf(store, idle_seconds=900)
    await append(of, "one")
    assert 890_000 < await books.pttl(key_of(of)) <= 900_000
    await books.pexpire(key_of(of), 1000)
    await append(of, "two")
    assert 890_000 < await books.pttl(key_of(of)) <= 900_000


async def test_keys_tell_scopes_callers_and_names_apart(store: RedisStore) -> None:
    bob, till = Caller("team", "shop", "shop-2", "bob"), Caller("team", "till", "till-1", "ada")
    nobody = Caller("team", "shop", "shop-1")

    def keys(scope: Any) -> list[str | None]:
        of = shelf(store, scope)
        return [of.key(caller, "s") for caller in (ADA, bob, till, nobody)]

    ada, other, app, unnamed = keys("App")
    assert ada == other == unnamed != app
    ada, other, app, unnamed = keys("User")
    assert len({ada, other, app}) == 3
    assert unnamed is None
    assert len(set(keys("Namespace"))) == 1
    assert len({keys(scope)[0] for scope in ("App", "User", "Namespace")}) == 3
    assert shelf(store).key(ADA, "s") != shelf(store).key(ADA, "t")


async def test_neither_names_nor_words_are_in_keys(store: RedisStore, books: Any) -> None:
    await append(shelf(store), "A secret.", name="adas-session")
    (key,) = await books.keys("*")
    assert key.startswith(b"c:c:team:s1:")
    assert b"ada" not in key


async def test_what_was_put_under_another_key_is_not_believed(
    store: RedisStore, books: Any
) -> None:
    of = shelf(store)
    await append(of, "Mine.")
    (member,) = await books.zrange(key_of(of), 0, -1)
    other = key_of(of, name="other")
    await books.zadd(other, {member: 1, b"no seal at all": 2})
    assert await said(of, "other") == []


async def test_what_another_version_wrote_is_passed_over(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = shelf(store)
    with monkeypatch.context() as later:
        later.setattr(shelf_module, "encoded_turn", lambda *_: b'{"of": "another version"}')
        await append(of, "one")
    await append(of, "two")
    assert await said(of) == ["two"]


async def test_a_namespace_s_own_redis_user_may_do_all_of_it(redis_url: str, books: Any) -> None:
    rules = acl_rules((cache_tag("c", "team"),))
    await books.execute_command("ACL", "SETUSER", "team", "reset", "on", ">word", *rules)
    try:
        access = RedisAccess(url=redis_url, username="team", password=SecretStr("word"))
        found = await connect(access, deadline_seconds=PATIENT_SECONDS)
        of = shelf(found, messages=2, summarise=True)
        await append(of, "one")
        await of.condense(key_of(of), await append(of, "two"), "One was said.")
        assert await said(of) == ["One was said.", "two"]
        assert await of.erase(key_of(of))
        await found.close()
    finally:
        await books.execute_command("ACL", "DELUSER", "team")
