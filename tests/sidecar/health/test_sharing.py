"""What one sidecar meets, all know within a second, by the clock of a real Redis."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
from pydantic import SecretStr
from redis.asyncio import Redis

from penstock_config.acl import acl_rules
from penstock_config.breaker import PROVIDER, SCRIPT, Telling, Word, encode_telling
from penstock_config.credentials import RedisAccess
from penstock_config.layout import Group
from penstock_sidecar.clock import SystemClock
from penstock_sidecar.errors import UpstreamLimited
from penstock_sidecar.health.breakers import Breakers
from penstock_sidecar.health.sharing import Known, Place, Sharing
from tests.servers import any_server, cluster, single
from tests.sidecar.health.world import CLUSTER, DOWN, Changes, Sharer, candidate, sharers
from tests.sidecar.redis_store.conftest import opened, until, until_it

KEY = Group.of_provider(CLUSTER, "shop/p").breakers
LOOKS = 2
ONE = candidate(threshold=3, cooldown_seconds=60)
QUICK = candidate(threshold=1, cooldown_seconds=0.3)


async def now_ms(url: str) -> float:
    async with Redis.from_url(url) as client:
        seconds, micros = await client.time()
    return float(seconds) * 1000 + micros / 1000


async def record_of(url: str, field: str = "chat/m") -> dict[str, Any]:
    async with Redis.from_url(url) as client:
        found = json.loads(await client.hget(KEY, field) or "{}")
    assert isinstance(found, dict)
    return found


async def until_record(url: str, fits: Callable[[Any], bool], field: str = "chat/m") -> None:
    async def found() -> bool:
        return fits(await record_of(url, field))

    await until_it(found)


async def test_what_one_opens_is_open_everywhere_within_a_second(each_redis_url: str) -> None:
    async with sharers(each_redis_url, 3, ONE) as (first, *others):
        began = await now_ms(each_redis_url)
        first.fail(ONE, 3)
        await asyncio.gather(*(each.until(ONE, "open") for each in others))
        assert await now_ms(each_redis_url) - began < 1000
        ends = [each.breakers.state(ONE, "openai-chat").until for each in (first, *others)]
        assert max(ends) - min(ends) < 0.2


async def test_three_failures_in_a_row_on_three_sidecars_are_three(each_redis_url: str) -> None:
    async with sharers(each_redis_url, 3, ONE) as all_of_them:
        for each in all_of_them:
            each.fail(ONE)
        await asyncio.gather(*(each.until(ONE, "open") for each in all_of_them))


async def test_a_success_on_another_sidecar_between_them_is_heeded(redis_url: str) -> None:
    """Told only when it turns out to matter."""
    async with sharers(redis_url, 3, ONE) as (a, b, c):
        a.fail(ONE)
        b.fail(ONE)
        await told(redis_url, 2)
        c.succeed(ONE)
        await asyncio.sleep(0.01)  # moments are told apart by the millisecond
        a.fail(ONE)
        await until_record(redis_url, lambda record: "succeeded_ms" in record)
        b.fail(ONE)
        await told(redis_url, 2)
        assert {each.phase(ONE) for each in (a, b, c)} == {"closed"}
        assert (await record_of(redis_url)).get("until_ms") is None


async def told(url: str, count: int) -> None:
    await until_record(url, lambda record: len(record.get("failed_ms", ())) == count)


async def test_a_success_closes_it_everywhere(redis_url: str) -> None:
    async with sharers(redis_url, 2, ONE) as (first, second):
        first.fail(ONE, 3)
        await second.until(ONE, "open")
        second.succeed(ONE)
        await first.until(ONE, "closed")


async def test_after_the_cooldown_exactly_one_of_all_tries_it(each_redis_url: str) -> None:
    """Each lets a hundred requests in at once; whoever does not try it asks the other."""
    spare = candidate("spare")
    async with sharers(each_redis_url, 4, QUICK) as all_of_them:
        all_of_them[0].fail(QUICK)
        await asyncio.gather(*(each.until(QUICK, "half-open") for each in all_of_them))
        ended = asyncio.Event()

        async def asks(sharer: Sharer) -> bool:
            async with sharer.breakers.trial((QUICK, spare), "openai-chat") as candidates:
                await ended.wait()
                return candidates[0] is QUICK

        asking = [asyncio.create_task(asks(each)) for each in all_of_them for _ in range(100)]
        await asyncio.sleep(0)
        await until(lambda: {each.phase(QUICK) for each in all_of_them} == {"open"})
        ended.set()
        assert sum(await asyncio.gather(*asking)) == 1


async def test_a_trial_outlives_its_lease_and_dies_with_its_sidecar(redis_url: str) -> None:
    """Renewed at each look; what is not renewed is another's to try."""
    async with sharers(redis_url, 2, QUICK) as (first, second):
        first.fail(QUICK)
        await asyncio.gather(*(each.until(QUICK, "half-open") for each in (first, second)))
        async with first.breakers.trial((QUICK,), "openai-chat"):
            lease = (await record_of(redis_url))["trial_ms"]
            await until_record(redis_url, lambda record: record["trial_ms"] > lease)
            await second.until(QUICK, "open")
        await second.until(QUICK, "half-open")


async def test_a_hint_of_the_provider_is_honoured_by_all(redis_url: str) -> None:
    async with sharers(redis_url, 2, QUICK) as (first, second):
        first.fail(QUICK, error=UpstreamLimited("later", retry_after_seconds=300))
        first.fail(QUICK, error=UpstreamLimited("soon", retry_after_seconds=1))
        await second.until(QUICK, "open")
        left = second.breakers.state(QUICK, "openai-chat").until - second.breakers.now()
        assert 299 < left <= 300


async def test_without_redis_each_goes_on_by_itself_and_tells_it_when_it_is_back(
    tmp_path: Path,
) -> None:
    with single(any_server(), tmp_path) as server:
        async with sharers(server.url, 2, ONE) as (first, second):
            server.kill()
            await until(lambda: not (first.store.available or second.store.available))
            first.fail(ONE, 3)
            assert (first.phase(ONE), second.phase(ONE)) == ("open", "closed")
            server.start()
            await second.until(ONE, "open")


async def test_a_redis_that_lost_its_data_is_told_again(redis_url: str) -> None:
    async with sharers(redis_url, 1, ONE) as (first,):
        first.fail(ONE, 3)
        await until_record(redis_url, bool)
        with redis.Redis.from_url(redis_url) as client:
            client.flushall()
        await until_record(redis_url, bool)
        assert first.phase(ONE) == "open"


async def test_nothing_is_left_of_a_provider_that_works_again(redis_url: str) -> None:
    async with sharers(redis_url, 1, ONE) as (first,):
        first.fail(ONE, 3)
        first.succeed(ONE)
        async with Redis.from_url(redis_url) as client:
            await until_record(redis_url, lambda record: "succeeded_ms" in record)
            assert "until_ms" not in await record_of(redis_url)
            assert 0 < await client.pttl(KEY) <= 60_000


async def test_what_is_no_record_stops_nobody(redis_url: str) -> None:
    """Whoever has a login to the group may have written anything."""
    async with Redis.from_url(redis_url) as client:
        bad: dict[Any, Any] = {
            "chat/m": "no JSON",
            "chat/x": '{"until_ms": "late"}',
            "chat/y": "[1]",
            "*": '""',
        }
        await client.hset(KEY, mapping=bad)
    async with sharers(redis_url, 2, ONE) as (first, second):
        first.fail(ONE, 3)
        await second.until(ONE, "open")


async def test_a_breaker_that_a_probe_closes_opens_at_the_next_failure(redis_url: str) -> None:
    patient = candidate(threshold=3, cooldown_seconds=0.3)
    async with sharers(redis_url, 2, patient) as (first, second):
        first.fail(patient, 3)
        await second.until(patient, "half-open")
        await tell(redis_url, Word(field="chat/m", threshold=3, cooldown=300, probed=True))
        await asyncio.gather(*(each.until(patient, "closed") for each in (first, second)))
        second.fail(patient)
        assert second.phase(patient) == "open"
        await first.until(patient, "open")


async def tell(url: str, *words: Word) -> None:
    async with Redis.from_url(url) as client:
        await client.eval(SCRIPT, 1, KEY, encode_telling(Telling(by="operator", words=words)))


async def test_failed_probes_take_all_models_out_until_one_answers(redis_url: str) -> None:
    async with sharers(redis_url, 1, ONE) as (first,):
        opened_ = Word(field=PROVIDER, threshold=3, cooldown=60_000, failed_ages=(900, 800, 700))
        await tell(redis_url, opened_)
        await first.until(ONE, "open")
        good = Word(field=PROVIDER, threshold=3, cooldown=1, succeeded_age=0, began_age=0)
        await tell(redis_url, good)
        await first.until(ONE, "closed")


async def test_what_nobody_asked_for_is_not_remembered(redis_url: str) -> None:
    """Fields become labels of metrics: none is anybody's own invention."""
    async with sharers(redis_url, 1, ONE) as (first,):
        words = [
            Word(field=f"chat/{name}", threshold=1, cooldown=60_000, failed_ages=(900,))
            for name in ("invented", "m")
        ]
        await tell(redis_url, *words)
        await first.until(ONE, "open")
        assert [each.name for each in first.breakers.of_provider("shop/p")] == ["chat/m"]


async def test_a_model_that_is_taken_away_is_told_of_no_more(redis_url: str) -> None:
    """Else every look would tell of a breaker of which no look ever hears."""
    changes, taken = Changes(), Known.of(candidate("other").provider)
    async with opened(redis_url) as store:
        known = {"shop/p": Known.of(ONE.provider)}
        breakers = Breakers(SystemClock(), "me", changes)
        sharing = Sharing(breakers, lambda: Place(store, CLUSTER, known))
        task = asyncio.create_task(sharing.run())
        for _ in range(3):
            breakers.failed(ONE, DOWN, "openai-chat")
        await until_record(redis_url, lambda record: "until_ms" in record)
        known["shop/p"] = taken
        await until(lambda: not [*breakers.of_provider("shop/p")])
        with redis.Redis.from_url(redis_url) as client:
            client.config_resetstat()
            await until(lambda: looks(client) == LOOKS)
            assert commands(client)["cmdstat_evalsha"]["calls"] <= LOOKS, "to hear of the others"
        task.cancel()
        await asyncio.wait([task])
    assert changes.seen[-1] == ("shop/p", "m", "chat", "closed")


async def test_a_model_that_answers_speaks_for_its_provider(redis_url: str) -> None:
    """A list of models that fails takes away nothing that works."""
    async with sharers(redis_url, 1, ONE) as (first,):
        first.succeed(ONE)
        await tell(redis_url, Word(field=PROVIDER, threshold=3, cooldown=60_000, failed_ages=(9,)))
        await until_record(redis_url, lambda record: "succeeded_ms" in record, PROVIDER)


async def test_at_rest_a_look_is_one_cheap_command_for_each_provider(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.config_resetstat()
        async with opened(redis_url) as store:
            known = {f"shop/{name}": Known.of(ONE.provider) for name in "abcde"}
            sharing = Sharing(Breakers(SystemClock()), lambda: Place(store, CLUSTER, known))
            task = asyncio.create_task(sharing.run())
            await until(lambda: looks(client) == LOOKS * len(known))
            task.cancel()
            await asyncio.wait([task])
        assert "cmdstat_evalsha" not in commands(client)


def commands(client: redis.Redis) -> dict[str, Any]:
    found = client.info("commandstats")
    assert isinstance(found, dict)
    return found


def looks(client: redis.Redis) -> int:
    return int(commands(client).get("cmdstat_exists", {"calls": 0})["calls"])


async def test_a_failed_probe_after_the_cooldown_opens_the_provider_again(redis_url: str) -> None:
    word = Word(field=PROVIDER, threshold=1, cooldown=60_000, failed_ages=(0,))
    await tell(redis_url, word.model_copy(update={"open": 0}))
    await asyncio.sleep(0.01)
    await tell(redis_url, word)
    assert (await record_of(redis_url, PROVIDER))["until_ms"] > await now_ms(redis_url) + 59_000


async def test_failures_outlive_the_longest_pause_between_two_probes(redis_url: str) -> None:
    await tell(redis_url, Word(field=PROVIDER, threshold=3, cooldown=1, failed_ages=(0,)))
    async with Redis.from_url(redis_url) as client:
        assert await client.pttl(KEY) > 3_600_000


async def test_on_a_cluster_each_providers_breakers_are_in_its_own_slot(tmp_path: Path) -> None:
    several = [candidate(of=name, threshold=1) for name in ("p", "q", "r")]
    with cluster(any_server(), tmp_path) as three:
        slots = {three.slot(Group.of_provider(CLUSTER, f"shop/{n}").breakers) for n in "pqr"}
        assert len(slots) == len(several)
        async with sharers(three.url, 2, *several) as (first, second):
            for each in several:
                first.fail(each)
            for each in several:
                await second.until(each, "open")


async def test_a_namespaces_own_redis_user_may_tell_and_look(redis_url: str) -> None:
    tag = Group.of_provider(CLUSTER, "shop/p").tag
    with redis.Redis.from_url(redis_url) as client:
        client.execute_command(
            "ACL", "SETUSER", "breakers", "reset", "on", ">word", *acl_rules((tag,))
        )
    own = RedisAccess(url=redis_url, username="breakers", password=SecretStr("word"))
    try:
        async with sharers(own, 2, ONE) as (first, second):
            first.fail(ONE, 3)
            await second.until(ONE, "open")
    finally:
        with redis.Redis.from_url(redis_url) as client:
            client.acl_deluser("breakers")
