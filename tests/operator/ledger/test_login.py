"""A server that starts with our ACL file: who may enter, and what the operator may do there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.exceptions import AuthenticationError, NoPermissionError

from penstock_operator.ledger.login import PROBE, RULES, USER, users_file
from penstock_operator.ledger.users import User, Users
from penstock_operator.settings import Settings
from tests.servers import Server, single
from tests.servers.binaries import NAMES, server_named

PAGE = Path(__file__).parents[3] / "docs" / "redis-users.md"
PASSWORD = "a-word-that-nobody-guesses"


@pytest.fixture(scope="module", params=NAMES)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    lines = tuple(users_file(PASSWORD).splitlines())
    directory = tmp_path_factory.mktemp("redis")
    with single(server_named(request.param), directory, acl=lines) as found:
        yield found


def entered(server: Server, user: str | None, password: str | None) -> redis.Redis:
    return redis.Redis.from_url(server.url, username=user, password=password, protocol=2)


def test_nobody_enters_without_a_login(server: Server) -> None:
    with entered(server, None, None) as client, pytest.raises(AuthenticationError):
        client.ping()


def test_the_probe_learns_that_redis_answers_and_nothing_else(server: Server) -> None:
    with entered(server, PROBE, "anything") as client:
        assert client.ping()
        for call in (("GET", "x"), ("ACL", "WHOAMI"), ("INFO",), ("PUBLISH", "x", "y")):
            with pytest.raises(NoPermissionError):
                client.execute_command(*call)


async def test_the_operator_makes_users_there(server: Server) -> None:
    settings = Settings(redis_url=server.url, redis_username=USER, redis_password=PASSWORD)
    user = User.of_namespace("default", "team-a", "hush", {"{default:n:team-a}"})
    result = await Users(settings).put([user], keep=frozenset())
    assert result.taken == {user.name}
    assert result.faults == ()
    with entered(server, user.name, "hush") as client:
        assert client.set("{default:n:team-a}:x", 1)


@pytest.mark.parametrize(
    "call",
    [("CONFIG", "GET", "*"), ("FLUSHALL",), ("KEYS", "*"), ("SHUTDOWN",), ("ACL", "LIST")],
    ids=" ".join,
)
def test_the_operator_may_not(server: Server, call: tuple[str, ...]) -> None:
    with entered(server, USER, PASSWORD) as client, pytest.raises(NoPermissionError):
        client.execute_command(*call)


def test_the_file_does_not_tell_the_password() -> None:
    assert PASSWORD not in users_file(PASSWORD)


def test_the_page_asks_for_the_same_rules() -> None:
    asked = f"user {USER} on >LONG-RANDOM-TEXT {RULES}"
    assert asked in PAGE.read_text("utf-8")
