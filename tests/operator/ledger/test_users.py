"""Redis users on real servers: what they may, when they lose it, and on which servers they are."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.exceptions import AuthenticationError, ClusterDownError, MovedError, NoPermissionError

from penstock_config.acl import cache_tag
from penstock_config.cache_layout import Shelves, vector_news, warming
from penstock_config.layout import Group
from penstock_operator.ledger.store import LedgerAway, Script, opened
from penstock_operator.ledger.users import Result, User, Users, user_name
from penstock_operator.settings import Settings
from tests.servers import Server, any_server, cluster, sentinel_pair, single
from tests.servers.binaries import NAMES, server_named
from tests.servers.server import running

CLUSTER = "prod"
PAGE = Path(__file__).parents[3] / "docs" / "redis-users.md"
PATIENCE_SECONDS = 20
Call = Callable[..., Any]
GRACE = 100.0


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def user(namespace: str, *providers: str, password: str = "hush") -> User:
    tags = {Group.of_namespace(CLUSTER, namespace).tag, cache_tag(CLUSTER, namespace)}
    tags |= {Group.of_provider(CLUSTER, each).tag for each in providers}
    return User.of_namespace(CLUSTER, namespace, password, tags)


def state(namespace: str) -> str:
    return Group.of_namespace(CLUSTER, namespace).state


def of_provider(id_: str) -> str:
    return Group.of_provider(CLUSTER, id_).state


@pytest.fixture
def admin(each_redis_url: str) -> Iterator[Call]:
    """Calls as the default user, who is the only one left in the end."""
    with redis.Redis.from_url(each_redis_url, decode_responses=True, protocol=2) as client:

        def call(*arguments: str) -> Any:
            return client.execute_command(*arguments)

        yield call
        if others := [name for name in call("ACL", "USERS") if name != "default"]:
            call("ACL", "DELUSER", *others)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def users(each_redis_url: str, admin: Call, clock: Clock) -> Users:
    assert admin("ACL", "USERS") == ["default"]
    return Users(Settings(cluster=CLUSTER, redis_url=each_redis_url), clock, GRACE)


def may(url: str, who: User, key: str) -> bool:
    """Whether that user's login works, and reads the key."""
    with redis.Redis.from_url(url, username=who.name, password=who.password) as client:
        try:
            client.hget(key, "f")
        except (NoPermissionError, AuthenticationError):
            return False
        return True


async def test_a_user_reaches_its_own_keys_and_no_others(each_redis_url: str, users: Users) -> None:
    a, b = user("a", "shared/llm", password="one"), user("b", "shared/llm", password="two")
    result = await users.put([a, b])
    assert result == Result(frozenset({a.name, b.name}), ())
    for who, namespace, other in ((a, "a", "b"), (b, "b", "a")):
        assert may(each_redis_url, who, state(namespace))
        assert may(each_redis_url, who, of_provider("shared/llm"))
        assert not may(each_redis_url, who, state(other))
        assert not may(each_redis_url, who, of_provider("a/own"))
    assert not may(each_redis_url, user("a", password="two"), state("a"))


async def test_a_password_is_neither_sent_nor_printed(users: Users, admin: Call) -> None:
    hushed = user("a", password="very-hush")
    await users.put([hushed])
    assert not [rule for rule in hushed.rules if "very-hush" in rule]
    assert "very-hush" not in repr(hushed)
    assert admin("ACL", "GETUSER", hushed.name)[3] == [hushed.login.removeprefix("#")]


async def test_a_provider_is_let_in_at_once_and_out_late(
    each_redis_url: str, users: Users, clock: Clock
) -> None:
    await users.put([user("a", "x/old")])
    new = user("a", "x/new")
    await users.put([new])
    assert may(each_redis_url, new, of_provider("x/new"))
    assert may(each_redis_url, new, of_provider("x/old"))
    clock.now += GRACE
    await users.put([new])
    assert may(each_redis_url, new, of_provider("x/new"))
    assert not may(each_redis_url, new, of_provider("x/old"))


async def test_a_password_goes_late(each_redis_url: str, users: Users, clock: Clock) -> None:
    old, new = user("a", password="old"), user("a", password="new")
    await users.put([old])
    await users.put([new])
    assert [may(each_redis_url, each, state("a")) for each in (old, new)] == [True, True]
    clock.now += GRACE
    await users.put([new])
    assert [may(each_redis_url, each, state("a")) for each in (old, new)] == [False, True]


async def test_another_leader_also_lets_out_late(
    each_redis_url: str, users: Users, clock: Clock
) -> None:
    old, new = user("a", "x/old", password="old"), user("a", "x/new", password="new")
    await users.put([old])
    next_leader = Users(Settings(cluster=CLUSTER, redis_url=each_redis_url), clock, GRACE)
    await next_leader.put([new])
    assert may(each_redis_url, old, of_provider("x/old"))
    clock.now += GRACE
    await next_leader.put([new])
    assert not may(each_redis_url, old, state("a"))
    assert not may(each_redis_url, new, of_provider("x/old"))


async def test_a_user_that_was_removed_is_looked_at_anew(
    each_redis_url: str, users: Users, clock: Clock
) -> None:
    """Another leader may have made it meanwhile, and given it out."""
    old, new = user("a", password="old"), user("a", password="new")
    await users.put([old])
    await users.put([old])
    await users.put([], keep=[])
    await Users(Settings(cluster=CLUSTER, redis_url=each_redis_url), clock, GRACE).put([old])
    await users.put([new])
    assert may(each_redis_url, old, state("a"))


async def test_what_somebody_granted_by_hand_does_not_stay(
    each_redis_url: str, users: Users, admin: Call
) -> None:
    a = user("a")
    admin("ACL", "SETUSER", a.name, "on", "nopass", "+@all", "~*")
    await users.put([a])
    assert may(each_redis_url, a, state("a"))
    assert not may(each_redis_url, a, state("b"))
    assert not may(each_redis_url, user("a", password="any"), state("a"))


async def test_a_connection_goes_on_while_rules_change(each_redis_url: str, users: Users) -> None:
    a = user("a", "x/old")
    await users.put([a])
    with redis.Redis.from_url(each_redis_url, username=a.name, password=a.password) as live:
        connection = live.connection_pool.get_connection()
        connection.send_command("HGET", state("a"), "f")
        assert connection.read_response() is None
        for new in (user("a", "x/new"), user("a", password="other")):
            await users.put([new])
            connection.send_command("HGET", of_provider("x/old"), "f")
            assert connection.read_response() is None
        live.connection_pool.release(connection)


async def test_only_users_of_this_installation_are_removed(users: Users, admin: Call) -> None:
    others = {"people", "penstock.prod.eu.a", "penstock.production.a", "penstock-prod", "prod.a"}
    for name in others:
        admin("ACL", "SETUSER", name, "on")
    await users.put([user("a"), user("b"), user("c")])
    await users.put([user("a")], keep={user("b").name})
    ours = {user("a").name, user("b").name}
    assert {*admin("ACL", "USERS")} == {"default"} | others | ours


EMBEDDER = User.of_embedder(CLUSTER, "hush")


async def test_the_embedder_reaches_vectors_of_all_and_nothing_else(
    each_redis_url: str, users: Users
) -> None:
    """Neither kept answers, whose policy may be called as it likes, nor prompts, nor books."""
    assert (await users.put([EMBEDDER])).taken == {EMBEDDER.name}
    for namespace in ("a", "b"):
        shelves = Shelves.of(CLUSTER, namespace, "v", "scope")
        for key in (shelves.partitions, shelves.vectors("p.m"), vector_news(CLUSTER, namespace)):
            assert may(each_redis_url, EMBEDDER, key)
        for key in (
            shelves.answer("a:b"),
            shelves.flight("a:b"),
            shelves.index,
            shelves.popular,
            warming(CLUSTER, namespace, "v"),
            state(namespace),
            Shelves.of("other", namespace, "v", "scope").partitions,
        ):
            assert not may(each_redis_url, EMBEDDER, key), key


@pytest.mark.parametrize(
    "call",
    [("EVAL", "return 1", "0"), ("KEYS", "*"), ("SCAN", "0"), ("FLUSHALL",), ("GET", "k")],
    ids=" ".join,
)
async def test_the_embedder_may_not(
    each_redis_url: str, users: Users, call: tuple[str, ...]
) -> None:
    await users.put([EMBEDDER])
    login = {"username": EMBEDDER.name, "password": EMBEDDER.password}
    with redis.Redis.from_url(each_redis_url, **login) as client, pytest.raises(NoPermissionError):
        client.execute_command(*call)


def test_no_namespace_s_user_is_called_as_the_embedder_s() -> None:
    """A namespace is a DNS label: letters, digits and dashes."""
    last = EMBEDDER.name.removeprefix(user_name(CLUSTER, ""))
    assert not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", last)


async def test_nobody_is_removed_unless_asked(users: Users, admin: Call) -> None:
    await users.put([user("a")])
    await users.put([user("b")])
    assert {user("a").name, user("b").name} < {*admin("ACL", "USERS")}


async def test_without_the_right_every_user_is_refused_and_said_why(
    each_redis_url: str, admin: Call
) -> None:
    admin("ACL", "SETUSER", "weak", "on", ">word", "~*", "+ping")
    settings = Settings(
        cluster=CLUSTER, redis_url=each_redis_url, redis_username="weak", redis_password="word"
    )
    result = await Users(settings).put([user("a")])
    assert result.taken == frozenset()
    (fault,) = result.faults
    assert "acl" in fault.lower()
    assert "permission" in fault


def documented() -> str:
    """The line of the operator's user in `docs/redis-users.md`."""
    return next(line for line in PAGE.read_text().splitlines() if line.startswith("user penstock-"))


@pytest.mark.parametrize("name", NAMES)
async def test_the_documented_rights_of_the_operator_suffice(name: str, tmp_path: Path) -> None:
    lines = (documented(), "user default off")
    with single(server_named(name), tmp_path, acl=lines) as server:
        settings = Settings(
            cluster=CLUSTER,
            redis_url=server.url,
            redis_username="penstock-operator",
            redis_password="LONG-RANDOM-TEXT",
        )
        users = Users(settings)
        await users.put([user("a"), user("b")])
        assert await users.put([user("a")], keep=()) == Result(frozenset({user("a").name}), ())
        assert may(server.url, user("a"), state("a"))
        assert not may(server.url, user("b"), state("b"))
        async with opened(settings) as store:
            assert await store.now() > 0
            assert await store.run(Script("raise.lua"), (state("a"),), 0, 0, "f", 1)


async def test_without_a_server_it_is_away(tmp_path: Path) -> None:
    with single(any_server(), tmp_path) as server:
        users = Users(Settings(cluster=CLUSTER, redis_url=server.url))
        await users.put([user("a")])
        server.kill()
        with pytest.raises(LedgerAway):
            await users.put([user("a")])


def has(server: Server, who: User, key: str) -> bool:
    """As `may`; a Cluster's server that serves another slot lets in, too."""
    try:
        return may(server.url, who, key)
    except (MovedError, ClusterDownError):
        return True


async def put_until(users: Users, who: User, server: Server) -> Result:
    """As the leader's rounds do; the last one's result."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        result = await users.put([who])
        while not has(server, who, state("a")):
            result = await users.put([who])
        return result


async def test_sentinels_master_and_replica_have_the_users(tmp_path: Path) -> None:
    with sentinel_pair(any_server(), tmp_path) as pair:
        users = Users(Settings(cluster=CLUSTER, redis_url=pair.url))
        a = user("a")
        assert (await users.put([a])).faults == ()
        assert [has(server, a, state("a")) for server in pair.servers] == [True, True]
        assert not [server for server in pair.servers if has(server, a, state("b"))]
        for server in pair.servers:
            server.call("ACL", "DELUSER", a.name)
        await users.put([a])
        assert [has(server, a, state("a")) for server in pair.servers] == [True, True]


async def test_every_node_of_a_cluster_has_the_users_also_one_that_comes(tmp_path: Path) -> None:
    with cluster(any_server(), tmp_path, replicas=1) as three:
        users = Users(Settings(cluster=CLUSTER, redis_url=three.url))
        a = user("a")
        assert (await users.put([a])).faults == ()
        assert all(has(server, a, state("a")) for server in three.servers)
        folder = tmp_path / "newcomer"
        folder.mkdir()
        new = Server(three.servers[0].executable, folder, three.servers[0].options)
        with running(new):
            new.call("CLUSTER", "MEET", "127.0.0.1", three.servers[0].port)
            await put_until(users, a, new)


async def test_a_node_that_is_away_holds_nobody_up(tmp_path: Path) -> None:
    with cluster(any_server(), tmp_path, replicas=1) as three:
        users = Users(Settings(cluster=CLUSTER, redis_url=three.url))
        a, away = user("a"), three.servers[-1]
        away.kill()
        result = await users.put([a])
        assert result.taken == {a.name}
        assert [fault for fault in result.faults if away.address not in fault] == []
        await asyncio.to_thread(away.start)
        assert not has(away, a, state("a"))
        assert (await put_until(users, a, away)).faults == ()
