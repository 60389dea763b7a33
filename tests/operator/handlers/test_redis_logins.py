"""Which login is published, and when: over real Redis servers."""

import asyncio
import base64
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from penstock_config.codec import credentials_file_name, encode
from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.provider import Provider
from penstock_config.schema import SidecarConfig
from penstock_operator.handlers.compilation import Outcome
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.handlers.redis_logins import OwnLogins, SharedLogin, redis_logins
from penstock_operator.ledger.users import User, Users
from penstock_operator.metrics import Metrics
from penstock_operator.settings import Settings
from tests.cluster.objects import policy
from tests.operator.handlers.bodies import meta
from tests.servers import Server, any_server, single

SHARED = RedisAccess(url="redis://r", username="operator", password=SecretStr("all"))
PATIENCE_SECONDS = 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with single(any_server(), tmp_path) as found:
        yield found


class World:
    """An operator's logins beside an inventory, over one Redis."""

    def __init__(self, server: Server, *namespaces: str, round_seconds: float = 3600) -> None:
        self.server = server
        self.inventory = Inventory()
        self.metrics = Metrics()
        self.changed = asyncio.Event()
        self.leads = True
        for name in namespaces:
            self.add(name)
        self.logins = self.another(round_seconds)

    def another(self, round_seconds: float = 3600, *others: User) -> OwnLogins:
        """As a new process makes them."""
        users = Users(Settings(cluster="test", redis_url=self.server.url))
        return OwnLogins(
            "test",
            users,
            self.inventory,
            self.metrics,
            lambda: self.leads,
            self.changed.set,
            others=others,
            round_seconds=round_seconds,
        )

    def add(self, namespace: str) -> None:
        self.inventory.note_object(stored(namespace))

    def leave(self, namespace: str) -> None:
        self.inventory.note_object(stored(namespace), gone=True)

    async def settle(
        self, *providers: str, published: bool = True
    ) -> dict[str, RedisAccess | None]:
        """One reconciliation; what each namespace would be told, and then is."""
        names = sorted({ref.namespace for ref in self.inventory.objects})
        logins = self.logins.of(names)
        made = {
            name: credentials(
                RedisAccess(
                    url=self.server.url,
                    username=logins[name].username,
                    password=SecretStr(logins[name].password),
                )
            )
            for name in names
        }
        configs = {name: config(name, *providers) for name in names}
        settled = (await self.logins.settle(Outcome(configs, {}, made, ()))).credentials
        if published:
            for name, each in settled.items():
                self.publish(name, each)
        return {name: each.redis for name, each in settled.items()}

    def publish(self, namespace: str, made: Credentials, *, gone: bool = False) -> None:
        """As the watch tells it."""
        body = meta("Secret", "penstock-credentials", namespace)
        data = base64.b64encode(encode(made)).decode()
        self.inventory.note_credentials(body | {"data": {credentials_file_name(): data}}, gone=gone)

    def users(self) -> list[str]:
        return sorted(self.server.call("ACL", "USERS"))

    def shared(self) -> float | None:
        return self.metrics.registry.get_sample_value("penstock_operator_shared_redis_logins")


def stored(namespace: str) -> dict[str, object]:
    document = policy(namespace)
    document["metadata"] |= {"uid": namespace, "generation": 1}
    return document


def config(namespace: str, *providers: str) -> SidecarConfig:
    entries = tuple(
        Provider(id=id_, type="openai", base_url="https://p.example", needs_key=False, models=())
        for id_ in providers
    )
    return SidecarConfig(cluster="test", namespace=namespace, providers=entries)


def credentials(access: RedisAccess | None) -> Credentials:
    return Credentials(redis=access, scope_key=SecretStr("scope"))


def enters(access: RedisAccess | None, key: str = "") -> bool:
    """Whether Redis lets that login read the key."""
    assert access
    assert access.password
    word = access.password.get_secret_value()
    with redis.Redis.from_url(access.url, username=access.username, password=word) as client:
        try:
            client.hget(key, "f") if key else client.ping()
        except (redis.AuthenticationError, redis.exceptions.NoPermissionError):
            return False
        return True


async def test_the_user_is_there_before_its_login_is_published(server: Server) -> None:
    world = World(server, "a", "b")
    told = await world.settle("x/llm")
    assert [enters(told[name], f"{{test:n:{name}}}:state") for name in "ab"] == [True, True]
    assert not enters(told["a"], "{test:n:b}:state")
    assert world.users() == ["default", "penstock.test.a", "penstock.test.b"]
    assert world.shared() == 0


async def test_a_password_is_kept_over_a_restart_and_over_a_lost_redis(server: Server) -> None:
    world = World(server, "a")
    before = await world.settle()
    server.kill()
    await asyncio.to_thread(server.start)
    world.logins = world.another()
    assert await world.settle() == before
    assert enters(before["a"])


async def test_a_secret_that_is_deleted_takes_its_password_along(server: Server) -> None:
    world = World(server, "a")
    before = await world.settle()
    world.publish("a", credentials(before["a"]), gone=True)
    after = await world.settle()
    assert after != before
    assert enters(after["a"])
    assert enters(before["a"]), "sidecars that have not heard go on"


@pytest.mark.parametrize("word", ["a", "ä" * 43, "x" * 43 + "\n", ">y" * 30])
async def test_a_password_that_we_would_not_make_is_not_taken(server: Server, word: str) -> None:
    world = World(server, "a")
    own = RedisAccess(url=server.url, username="penstock.test.a", password=SecretStr(word))
    world.publish("a", credentials(own))
    told = (await world.settle())["a"]
    assert told
    assert told.password
    assert told.password.get_secret_value() != word
    assert enters(told)


async def test_a_provider_that_comes_later_is_let_in(server: Server) -> None:
    world = World(server, "a")
    told = (await world.settle("x/one"))["a"]
    assert not enters(told, "{test:p:x/two}:state")
    assert (await world.settle("x/one", "x/two"))["a"] == told
    assert enters(told, "{test:p:x/two}:state")


async def test_without_redis_what_is_published_stays(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world = World(server, "kept", "shared")
    world.publish("shared", credentials(SHARED))
    world.inventory.objects.pop(next(r for r in world.inventory.objects if r.namespace == "shared"))
    before = await world.settle()
    world.add("shared")
    world.add("new")
    server.kill()
    for _ in range(3):
        told = await world.settle("x/llm")
        assert told == {**before, "shared": SHARED, "new": None}
    assert world.shared() == 1
    assert [r.getMessage() for r in caplog.records].count("redis_users.not_set") == 1
    await asyncio.to_thread(server.start)
    await world.logins._round()
    assert world.changed.is_set()
    told = await world.settle("x/llm")
    assert all(enters(told[name], "{test:p:x/llm}:state") for name in ("kept", "shared", "new"))
    assert world.shared() == 0
    assert "redis_users.set" in [r.getMessage() for r in caplog.records]


async def test_without_the_right_what_is_published_stays(server: Server) -> None:
    server.call("ACL", "SETUSER", "chief", "on", ">word", "+@all")
    server.call("ACL", "SETUSER", "default", "-acl")
    world = World(server, "a")
    world.publish("a", credentials(SHARED))
    assert (await world.settle())["a"] == SHARED
    with redis.Redis.from_url(server.url, username="chief", password="word") as chief:
        chief.acl_setuser("default", enabled=True, nopass=True, categories=["+@all"], keys=["*"])
    await world.logins._round()
    assert enters((await world.settle())["a"])


async def test_users_that_redis_forgot_come_back_by_themselves(server: Server) -> None:
    world = World(server, "a", round_seconds=0.05)
    told = (await world.settle())["a"]
    server.call("ACL", "DELUSER", "penstock.test.a")
    assert not enters(told)
    async with asyncio.TaskGroup() as group, asyncio.timeout(PATIENCE_SECONDS):
        rounds = group.create_task(world.logins.run())
        while not await asyncio.to_thread(enters, told):
            pass
        rounds.cancel()


async def test_a_namespace_without_a_policy_loses_its_user(server: Server) -> None:
    server.call("ACL", "SETUSER", "people", "on")
    world = World(server, "a", "b")
    await world.settle()
    world.leave("b")
    await world.settle()
    async with asyncio.TaskGroup() as group, asyncio.timeout(PATIENCE_SECONDS):
        rounds = group.create_task(world.logins.run())
        while "penstock.test.b" in await asyncio.to_thread(world.users):
            pass
        rounds.cancel()
    assert world.users() == ["default", "penstock.test.a", "people"]


async def test_a_namespace_whose_policy_is_wrong_keeps_its_user(server: Server) -> None:
    world = World(server, "a")
    told = await world.settle()
    await world.logins.settle(Outcome({}, {}, {}, (), failed=frozenset({"a"})))
    await world.logins._round()
    assert world.users() == ["default", "penstock.test.a"]
    server.call("ACL", "DELUSER", "penstock.test.a")
    await world.logins._round()
    assert world.users() == ["default", "penstock.test.a"], "and gets it again"
    assert enters(told["a"], "{test:n:a}:state")


EMBEDDER = User.of_embedder("test", "word")


def embedder_may(server: Server) -> bool:
    """Whether Redis lets the embedder read vectors."""
    client = redis.Redis.from_url(server.url, username=EMBEDDER.name, password="word")
    with client:
        try:
            client.hget("test:c:a:2:chat:{s}:v:p", "f")
        except redis.AuthenticationError:
            return False
        return True


async def test_the_embedder_s_user_needs_no_policy_and_goes_with_the_embedder(
    server: Server,
) -> None:
    world = World(server)
    nothing = Outcome({}, {}, {}, ())
    with_embedder, without = world.another(3600, EMBEDDER), world.another()
    await with_embedder.settle(nothing)
    assert embedder_may(server)
    for logins, wanted in ((with_embedder, True), (without, False)):
        await logins.settle(nothing)
        await logins._round()
        assert embedder_may(server) is wanted


@pytest.mark.parametrize(("word", "made"), [("word", True), (None, False)])
async def test_the_settings_say_whether_the_embedder_gets_a_user(
    server: Server, word: str | None, *, made: bool
) -> None:
    settings = Settings(
        cluster="test", redis_url=server.url, redis_manage_users=True, embedder_redis_password=word
    )
    logins = redis_logins(settings, Inventory(), Metrics(), lambda: True, lambda: None)
    await logins.settle(Outcome({}, {}, {}, ()))
    assert embedder_may(server) is made


async def test_a_replica_that_leads_no_more_changes_nothing(server: Server) -> None:
    world = World(server, "a")
    world.leads = False
    assert (await world.settle())["a"] is None
    assert world.users() == ["default"]


async def test_no_password_is_logged_or_printed(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world = World(server, "a")
    told = (await world.settle(published=False))["a"]
    server.kill()
    await world.settle("x/new", published=False)
    assert told
    assert told.password
    word = told.password.get_secret_value()
    said = [str(record.__dict__) for record in caplog.records]
    assert said
    assert not [text for text in (*said, repr(world.inventory)) if word in text]


async def test_a_shared_login_is_told_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    logins = redis_logins(Settings(), Inventory(), metrics, lambda: True, lambda: None)
    assert isinstance(logins, SharedLogin)
    outcome = Outcome({}, {}, dict.fromkeys("ab", credentials(SHARED)), ())
    for _ in range(2):
        assert await logins.settle(outcome) is outcome
    (said,) = caplog.records
    assert said.getMessage() == "redis.shared_credentials"
    assert metrics.registry.get_sample_value("penstock_operator_shared_redis_logins") == 2


async def test_without_redis_nothing_is_shared(caplog: pytest.LogCaptureFixture) -> None:
    await SharedLogin(Metrics()).settle(Outcome({}, {}, {"a": credentials(None)}, ()))
    assert caplog.records == []
