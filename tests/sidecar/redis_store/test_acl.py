"""The rules of `penstock_config.acl` on real servers: all that sidecars do, and nothing else."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

import penstock_config
import penstock_sidecar
from penstock_config.acl import COMMANDS, LIMITS, acl_rules, cache_tag
from penstock_config.cache_layout import Shelves
from penstock_config.credentials import RedisAccess
from penstock_config.layout import Group
from penstock_sidecar.cache.flight import Fence
from penstock_sidecar.cache.flight.shared import Answered, Follow, Lead, SharedFlight
from penstock_sidecar.cache.flight.times import AS_SHIPPED
from penstock_sidecar.cache.shelf import Shelf
from penstock_sidecar.clock import SystemClock
from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.routing.score_sharing import ScoreSharing
from penstock_sidecar.routing.scores import Scores, Tally
from penstock_sidecar.store import StoreUnavailable
from tests.servers import Server, any_server, certificates, cluster, sentinel_pair
from tests.sidecar.redis_store.conftest import INCREMENT, opened, script
from tests.sidecar.redis_store.test_tls import server_with_tls

CLUSTER, NAMESPACE = "prod", "team-a"
OWN = Group.of_namespace(CLUSTER, NAMESPACE)
PROVIDER = Group.of_provider(CLUSTER, f"{NAMESPACE}/openai")
FOREIGN = Group.of_namespace(CLUSTER, "team-b")
TAGS = (OWN.tag, PROVIDER.tag, cache_tag(CLUSTER, NAMESPACE))
WORD = "secret-word"
COUNT = script("return redis.call('HINCRBY', KEYS[1], 'f', 1)")
SOURCES = [Path(package.__path__[0]) for package in (penstock_sidecar, penstock_config)]
LUA = sorted(path for source in SOURCES for path in source.rglob("*.lua"))
ALLOWED = {name.partition("|")[0] for name in COMMANDS}


def let_in(server: Server) -> None:
    """One user per namespace, and the default one off."""
    server.call("ACL", "SETUSER", "team-a", "reset", "on", f">{WORD}", *acl_rules(TAGS))


def access(url: str, ca_pem: str | None = None) -> RedisAccess:
    return RedisAccess(url=url, username="team-a", password=SecretStr(WORD), ca_pem=ca_pem)


@pytest.fixture
def guarded(each_redis_url: str) -> Iterator[RedisAccess]:
    """The default user is off."""
    with redis.Redis.from_url(each_redis_url) as admin:
        admin.execute_command("ACL", "SETUSER", "admin", "on", "nopass", "+@all", "~*", "&*")
        rules = acl_rules(TAGS)
        admin.execute_command("ACL", "SETUSER", "team-a", "reset", "on", f">{WORD}", *rules)
        admin.execute_command("ACL", "SETUSER", "default", "off")
    yield access(each_redis_url)
    with redis.Redis.from_url(each_redis_url, username="admin", password="any") as admin:
        admin.execute_command("ACL", "SETUSER", "default", "on")
        admin.execute_command("ACL", "DELUSER", "team-a", "admin")


@pytest.fixture
async def store(guarded: RedisAccess) -> AsyncIterator[RedisStore]:
    async with opened(guarded) as store:
        assert store.available
        yield store


def keys_of(group: Group) -> tuple[str, ...]:
    """Every kind of key there is in a group."""
    named = [group.slots("l"), group.subject("d"), group.subjects("p"), group.user("d")]
    return (
        *group.keys,
        group.members,
        *named,
        group.spenders("b"),
        group.waiting,
        group.turns,
        group.breakers,
    )


def test_the_rules_name_all_that_the_scripts_call() -> None:
    texts = [path.read_text("utf-8") for path in LUA]
    called = {name for text in texts for name in re.findall(r"call\(\s*'(\w+)'", text)}
    assert {"HSET", "XREADGROUP"} <= called
    assert {name.lower() for name in called} <= ALLOWED


def test_the_rules_name_all_that_sidecars_send() -> None:
    texts = [path.read_text("utf-8") for source in SOURCES for path in source.rglob("*.py")]
    sent = {name for text in texts for name in re.findall(r"\.command\(\s*\"([A-Z]+)\"", text)}
    assert {"GET", "XACK"} <= sent
    assert {name.lower() for name in sent} <= ALLOWED


def test_keys_of_the_cache_begin_with_its_tag() -> None:
    shelves = Shelves.of(CLUSTER, NAMESPACE, "chat", "scope")
    assert shelves.prefix.startswith(f"{cache_tag(CLUSTER, NAMESPACE)}:")


def test_what_a_pattern_would_take_for_more_is_escaped() -> None:
    assert "~a\\*b\\[c\\]\\\\:*" in acl_rules(["a*b[c]\\"])


def test_nothing_that_runs_text_or_reads_everything_is_allowed() -> None:
    rules = acl_rules(TAGS)
    assert rules[:2] == ("resetchannels", "-@all")
    assert not {"+eval", "+keys", "+config", "+flushall", "+scan", "+script"} & set(rules)
    assert not [rule for rule in rules if rule.startswith(("+@", "allkeys", "~*"))]


@pytest.mark.parametrize("group", [OWN, PROVIDER], ids=["namespace", "provider"])
async def test_scripts_run_on_every_key_of_the_groups(store: RedisStore, group: Group) -> None:
    for key in keys_of(group):
        assert await store.script(COUNT, (key,), ()) == 1


async def test_scripts_may_call_each_command_that_the_limiter_needs(store: RedisStore) -> None:
    """Called with too little each: what is refused is that, never the permission."""
    tried = script(
        "local reply = redis.pcall(ARGV[1], KEYS[1])"
        "return type(reply) == 'table' and reply.err or ''"
    )

    async def forbidden(name: str) -> bool:
        reply = await store.script(tried, (OWN.state,), (name,))
        assert isinstance(reply, bytes)
        return b"permission" in reply or b"can't run this" in reply

    assert await forbidden("lpop")
    assert [name for name in LIMITS if name != "time" and await forbidden(name)] == []
    assert await store.script(script("return #redis.call('TIME')"), (), ()) == 2


async def test_sidecars_learn_together(store: RedisStore) -> None:
    label = f"{NAMESPACE}/openai/small"
    teacher, pupil = (Scores(SystemClock()) for _ in range(2))
    teacher.learn(label, "chat", Tally(1, 1))
    for scores in (teacher, pupil):
        await ScoreSharing(scores, store, OWN, [label]).exchange()
    assert 0.9 < pupil.tally(label, "chat").served <= 1


async def test_the_cache_keeps_finds_and_drops(store: RedisStore) -> None:
    shelf, shelves = Shelf(store, most_entries=1), Shelves.of(CLUSTER, NAMESPACE, "chat", "scope")
    assert (await shelf.put((shelves, "a:b"), b"answer", 60_000)).dropped == []
    assert await shelf.get(shelves.answer("a:b")) == b"answer"
    assert (await shelf.put((shelves, "a:c"), b"other", 70_000)).dropped == ["a:b"]
    await shelf.drop(shelves, ["a:b"])
    assert await shelf.get(shelves.answer("a:b")) is None


async def test_flights_begin_go_on_and_end(store: RedisStore) -> None:
    shelves = Shelves.of(CLUSTER, NAMESPACE, "chat", "scope")
    keys = shelves.flight("a:b"), shelves.answer("a:b")
    leader, follower = (SharedFlight(store, *keys, AS_SHIPPED) for _ in range(2))
    assert isinstance(await leader.begin(), Lead)
    following = await follower.begin()
    assert isinstance(following, Follow)
    assert await leader.beat()
    assert await leader.end("refused", 1) == "next"
    await follower.changed(following.seconds)
    assert isinstance(await follower.begin(), Lead)
    assert await follower.end("failed", 1) == "next"
    joined = await leader.begin()
    assert isinstance(joined, Lead)
    fence = Fence(keys[0], joined.number)
    assert not (await Shelf(store).put((shelves, "a:b"), b"x" * 40, 60_000, fence)).fenced
    assert isinstance(await follower.begin(), Answered)


@pytest.mark.parametrize(
    "key",
    [*keys_of(FOREIGN)[:2], f"{cache_tag(CLUSTER, 'team-b')}:1:x", f"{CLUSTER}:c:team-ab:1", "k"],
)
async def test_keys_of_others_are_refused(store: RedisStore, key: str) -> None:
    for call in (store.script(COUNT, (key,), ()), store.command("GET", key)):
        with pytest.raises(StoreUnavailable, match="NOPERM"):
            await call


async def test_keys_of_others_are_refused_to_scripts_that_do_not_declare_them(
    store: RedisStore,
) -> None:
    sneaky = script(f"return redis.call('HGET', '{FOREIGN.state}', 'f')")
    with pytest.raises(StoreUnavailable) as caught:
        await store.script(sneaky, (OWN.state,), ())
    assert caught.value.sent  # it may have done something before


@pytest.mark.parametrize(
    "call",
    [
        ("FLUSHALL",),
        ("FLUSHDB",),
        ("EVAL", "return 1", 0),
        ("KEYS", "*"),
        ("SCAN", 0),
        ("CONFIG", "GET", "*"),
        ("SCRIPT", "FLUSH"),
        ("SCRIPT", "KILL"),
        ("ACL", "WHOAMI"),
        ("CLIENT", "LIST"),
        ("CLUSTER", "RESET"),
        ("SHUTDOWN",),
        ("MONITOR",),
        ("PUBLISH", "c", "m"),
        ("REPLICAOF", "NO", "ONE"),
    ],
    ids=lambda call: "-".join(map(str, call[:2])),
)
async def test_what_sidecars_do_not_need_is_refused(
    store: RedisStore, call: tuple[str | int, ...]
) -> None:
    with pytest.raises(StoreUnavailable, match="NOPERM") as caught:
        await store.command(*call)
    assert not caught.value.sent


async def test_a_sidecar_finds_its_way_in_a_cluster(tmp_path: Path) -> None:
    """Over TLS, with a slot on its way."""
    ours = certificates(tmp_path)
    with cluster(server_with_tls(), tmp_path, tls=ours) as three:
        for server in three.servers:
            let_in(server)
        async with opened(access(three.url, ours.ca_pem)) as store:
            assert await store.script(COUNT, (OWN.state,), ()) == 1
            assert await store.script(COUNT, (PROVIDER.state,), ()) == 1
            slot = three.slot(OWN.state)
            for step in ("open", "half", "done"):
                await asyncio.to_thread(three.migrate_slot, slot, step)
                assert isinstance(await store.script(COUNT, (OWN.state,), ()), int)
            assert await store.script(COUNT, (OWN.state,), ()) == 5
            with pytest.raises(StoreUnavailable, match="NOPERM"):
                await store.script(INCREMENT, (FOREIGN.state,), ())


async def test_a_sidecar_follows_sentinels(tmp_path: Path) -> None:
    with sentinel_pair(any_server(), tmp_path) as pair:
        for server in pair.servers:
            let_in(server)
        async with opened(access(pair.url)) as store:
            assert await store.script(COUNT, (OWN.state,), ()) == 1


def test_every_command_is_named_once() -> None:
    assert len(set(COMMANDS)) == len(COMMANDS)
