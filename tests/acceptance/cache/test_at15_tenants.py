"""AT15: nobody is given what was answered to somebody else, at any level: the scope is a hard
prefix of every key, and no client ever sees a key."""

import json
from itertools import product

import pytest
import redis

from penstock_cli.stub import Ok
from penstock_config.cache import Cache
from tests.acceptance.cache.conftest import Tenant
from tests.acceptance.cache.levels import LEVELS, hit, level
from tests.planes.plane import Plane, chat
from tests.sidecar.http.edge import Response, exchange, head

ASKED = ("What is the code?", "what is the code", " What  is the code? ")
"""The same, and the same in other spellings."""
CACHES = pytest.mark.parametrize("cache", LEVELS.values(), ids=LEVELS)


async def ask(plane: Plane, text: str, user: str = "") -> Response:
    headers = {"x-penstock-user": user} if user else {}
    return await plane.ask(chat(text), **headers)


@CACHES
async def test_at15_two_apps_never_share(tenant: Tenant, cache: Cache) -> None:
    shop, bank = await tenant("shop"), await tenant("bank")
    for plane, word in ((shop, "shop's"), (bank, "bank's")):
        plane.main.always(Ok(text=word))
        await plane.publish(plane.config(cache=cache))
    assert level(await ask(shop, ASKED[0])) == "miss"
    for text in ASKED:
        answer = await ask(bank, text)
        assert b"shop's" not in answer.body
    assert not hit(await ask(bank, "Who else?"))
    assert hit(await ask(shop, ASKED[0]))
    assert b"shop's" in (await ask(shop, ASKED[0])).body


@CACHES
async def test_at15_two_users_never_share_where_the_scope_is_the_user(
    plane: Plane, cache: Cache
) -> None:
    await plane.publish(plane.config(cache=cache.model_copy(update={"scope": "User"})))
    plane.main.always(Ok(text="ann's"))
    assert level(await ask(plane, ASKED[0], "ann")) == "miss"
    plane.main.always(Ok(text="not ann's"))
    for text in ASKED:
        for user in ("bob", "", "Ann", "ann%20"):
            assert b'"ann\'s"' not in (await ask(plane, text, user)).body
    assert b'"ann\'s"' in (await ask(plane, ASKED[0], "ann")).body


async def test_at15_a_user_is_one_of_an_app(tenant: Tenant) -> None:
    """Another app may claim any user's name."""
    cache = LEVELS["both"].model_copy(update={"scope": "User"})
    shop, bank = await tenant("shop"), await tenant("bank")
    for plane in (shop, bank):
        await plane.publish(plane.config(cache=cache))
    assert level(await ask(shop, ASKED[0], "ann")) == "miss"
    assert level(await ask(bank, ASKED[0], "ann")) == "miss"
    assert hit(await ask(shop, ASKED[0], "ann"))


@CACHES
async def test_at15_two_policies_never_share(plane: Plane, cache: Cache) -> None:
    await plane.publish(plane.config(cache=cache, id="team/one"))
    assert level(await ask(plane, ASKED[0])) == "miss"
    await plane.publish(plane.config(cache=cache, id="team/two"))
    assert level(await ask(plane, ASKED[0])) == "miss"
    await plane.publish(plane.config(cache=cache, id="team/one"))
    assert hit(await ask(plane, ASKED[0]))


async def test_at15_apps_share_where_the_policy_says_so(tenant: Tenant) -> None:
    cache = LEVELS["both"].model_copy(update={"scope": "Namespace"})
    shop, bank = await tenant("shop"), await tenant("bank")
    for plane in (shop, bank):
        await plane.publish(plane.config(cache=cache))
    assert level(await ask(shop, ASKED[0])) == "miss"
    assert level(await ask(bank, ASKED[0])) == "hit-exact"
    assert level(await ask(bank, ASKED[1])) == "hit-normalised"


async def test_at15_no_answer_shows_a_key_and_none_removes_anothers(
    tenant: Tenant, redis_url: str
) -> None:
    shop, bank = await tenant("shop"), await tenant("bank")
    for plane in (shop, bank):
        await plane.publish(plane.config(cache=LEVELS["both"]))
        await ask(plane, ASKED[0])
    hits = [await ask(plane, ASKED[0]) for plane in (shop, bank)]
    ids = [answer.headers["x-penstock-cache-key"] for answer in hits]
    assert ids[0] != ids[1], "the same question of two tenants has nothing in common"
    with redis.Redis.from_url(redis_url) as server:
        keys = [key.decode() for key in server.keys("*:a:*")]
    assert len(keys) == 2
    for key, id_ in product(keys, ids):
        assert id_ not in key
        for answer in hits:
            assert key.rpartition("{")[2] not in f"{answer.headers}"
    for plane, id_, removed in ((bank, ids[0], 0), (shop, ids[0], 1)):
        asked = head("DELETE", f"/v1/cache?id={id_}")
        answer = await exchange(plane.ports.application, asked)
        assert json.loads(answer.body)["removed"] == removed
    assert hit(await ask(bank, ASKED[0]))
