"""What is kept of responses, for how long, and who finds it again."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis.asyncio

from penstock_config.acl import cache_tag
from penstock_config.credentials import RedisAccess
from penstock_sidecar.errors import ResponsesUnavailable, UnknownResponse
from penstock_sidecar.model import Caller, Reply, Request, Resumed
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.normalise.openai_responses import parse_response
from penstock_sidecar.redis_store import connect
from penstock_sidecar.responses import Responses
from penstock_sidecar.responses.memory import LIFE_SECONDS, MAX_BYTES
from penstock_sidecar.store import Argument, Store, StoreUnavailable

ADA = Caller("team", "shop", "shop-1", "ada")
SAID = {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Good day."}]}
RESPONSE: dict[str, Any] = {"id": "resp_1", "object": "response", "output": [SAID]}


@dataclass
class Told:
    """A `Reply` that keeps what it is told, and what lay in Redis then."""

    keys: Any = None
    sent: list[bytes] = field(default_factory=list)
    kept_before: list[int] = field(default_factory=list)
    ended: bool = False
    started: tuple[str, Mapping[str, str]] | None = None
    seconds: float | None = None

    @property
    def left(self) -> bool:
        return self.ended

    def outlast(self, seconds: float | None) -> None:
        self.seconds = seconds

    async def start(self, content_type: str, headers: Mapping[str, str]) -> None:
        self.started = (content_type, headers)

    async def send(self, data: bytes) -> None:
        if self.keys:
            self.kept_before.append(len(await self.keys("*")))
        self.sent.append(data)

    async def end(self) -> None:
        self.ended = True


class Away:
    """A Redis that does not answer."""

    async def command(self, *_: Argument) -> object:
        raise StoreUnavailable

    async def script(self, *_: Any) -> object:
        raise StoreUnavailable


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[Store]:
    opened = await connect(RedisAccess(url=redis_url))
    yield opened
    await opened.close()


@pytest.fixture
async def books(redis_url: str) -> AsyncIterator["redis.asyncio.Redis"]:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        yield client


def responses(store: Store | None, scope: Any = "App", **changes: Any) -> Responses:
    place = {"cluster": "c", "namespace": "team", "policy_id": "team/p", "secret": b"s", **changes}
    return Responses(scope, store=store, **place)


def request(**fields: Any) -> Request:
    body = json.dumps({"model": "m", "input": "Hi"} | fields).encode()
    return parse_response(body, {}, "call-1")


def event(kind: str, response: Mapping[str, Any] = RESPONSE) -> bytes:
    data = json.dumps({"type": kind, "response": response})
    return f"event: {kind}\ndata: {data}\n\n".encode()


async def keep(
    of: Responses, asked: Request, data: bytes | None = None, caller: Caller = ADA
) -> None:
    reply = of.remembering(asked, caller, Told())
    await reply.send(json.dumps(RESPONSE).encode() if data is None else data)


async def resume(of: Responses, caller: Caller = ADA, id_: str = "resp_1") -> Request:
    return await of.resumed(request(input="And?", previous_response_id=id_), caller)


async def test_a_kept_response_comes_before_the_next_request(store: Store) -> None:
    await keep(responses(store), request())
    resumed = await resume(responses(store))
    assert resumed.document["input"] == [
        {"role": "user", "content": "Hi"},
        {"type": "message", "role": "assistant", "content": "Good day."},
        {"role": "user", "content": "And?"},
    ]
    assert resumed.resumed == Resumed("resp_1", 2)


@pytest.mark.parametrize("kind", ["response.completed", "response.incomplete"])
async def test_a_stream_s_last_event_is_kept_before_it_is_told(
    store: Store, books: "redis.asyncio.Redis", kind: str
) -> None:
    told = Told(books.keys)
    reply = responses(store).remembering(request(stream=True), ADA, told)
    await reply.start("text/event-stream", {"a": "b"})
    first = event("response.created")
    last = b'event: response.output_item.done\ndata: {"type":"x"}\n\n' + event(kind)
    for data in (first, last):
        await reply.send(data)
    await reply.end()
    assert told.sent == [first, last]
    assert told.kept_before == [0, 1]
    assert told.started == ("text/event-stream", {"a": "b"})
    assert (told.ended, reply.left) == (True, True)
    assert (await resume(responses(store))).resumed == Resumed("resp_1", 2)


async def test_how_long_to_go_on_is_told_to_the_reply(store: Store) -> None:
    told = Told()
    responses(store).remembering(request(), ADA, told).outlast(5)
    assert told.seconds == 5


@pytest.mark.parametrize(
    "data",
    [
        event("response.failed"),
        event("response.created"),
        b'data: {"type":"response.output_text.delta","delta":"\\"response.completed\\""}\n\n',
        b'event: response.completed\ndata: "response.completed"\n\n',
        b'event: response.completed\ndata: not JSON "response.completed"\n\n',
        event("response.completed", {"output": []}),
    ],
)
async def test_what_is_no_whole_response_is_not_kept(
    store: Store, books: "redis.asyncio.Redis", data: bytes
) -> None:
    await keep(responses(store), request(stream=True), data)
    assert await books.keys("*") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"store": False},
        {"previous_response_id": "resp_0"},
        {"conversation": "conv_1"},
        {"prompt": {"id": "pmpt_1"}},
    ],
)
async def test_half_a_conversation_and_what_nobody_wants_kept_are_not(
    store: Store, fields: dict[str, Any]
) -> None:
    told: Reply = Told()
    assert responses(store).remembering(request(**fields), ADA, told) is told


async def test_other_apis_have_no_responses(store: Store) -> None:
    told: Reply = Told()
    body = b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"previous_response_id":"x"}'
    chat = parse_chat(body, {}, "c")
    assert responses(store).remembering(chat, ADA, told) is told
    assert await responses(store).resumed(chat, ADA) is chat


async def test_a_kept_response_has_a_life_and_a_place_of_its_namespace(
    store: Store, books: "redis.asyncio.Redis"
) -> None:
    await keep(responses(store), request())
    (key,) = await books.keys("*")
    assert isinstance(key, bytes)
    assert key.startswith(f"{cache_tag('c', 'team')}:r1:".encode())
    assert b"resp_1" not in key
    assert 0 < await books.ttl(key) <= LIFE_SECONDS


async def test_a_long_conversation_is_not_kept(store: Store, books: "redis.asyncio.Redis") -> None:
    await keep(responses(store), request(input="a" * MAX_BYTES))
    assert await books.keys("*") == []
    await keep(responses(store), request(input="a" * (MAX_BYTES - 1000)))
    assert len(await books.keys("*")) == 1


async def test_what_nobody_of_the_namespace_sealed_is_nobody_s(
    store: Store, books: "redis.asyncio.Redis"
) -> None:
    await keep(responses(store), request())
    (key,) = await books.keys("*")
    data = await books.get(key)
    assert isinstance(data, bytes)
    await books.set(key, data[:-1] + b" ")
    assert (await resume(responses(store))).resumed is None
    await keep(responses(store, secret=b"other"), request())
    (moved,) = set(await books.keys("*")) - {key}
    other = await books.get(moved)
    assert other
    await books.set(key, other)
    assert (await resume(responses(store))).resumed is None


@pytest.mark.parametrize(
    ("scope", "caller", "found"),
    [
        ("App", Caller("team", "shop", "shop-2", "eve"), True),
        ("App", Caller("team", "bank", "bank-1", "ada"), False),
        ("User", Caller("team", "shop", "shop-2", "ada"), True),
        ("User", Caller("team", "shop", "shop-1", "eve"), False),
        ("User", Caller("team", "bank", "bank-1", "ada"), False),
        ("User", Caller("team", "shop", "shop-1"), False),
        ("Namespace", Caller("team", "bank", "bank-1", "eve"), True),
    ],
)
async def test_the_scope_says_who_may_go_on(
    store: Store, scope: str, caller: Caller, found: bool
) -> None:
    await keep(responses(store, scope), request())
    if found:
        assert (await resume(responses(store, scope), caller)).resumed == Resumed("resp_1", 2)
    else:
        with pytest.raises(UnknownResponse) as caught:
            await resume(responses(store, scope), caller)
        assert caught.value.code == "previous_response_not_found"


async def test_another_policy_s_callers_may_not_go_on(store: Store) -> None:
    await keep(responses(store, "Namespace"), request())
    with pytest.raises(UnknownResponse):
        await resume(responses(store, "Namespace", policy_id="team/q"))


async def test_another_namespace_does_not_even_know_of_it(store: Store) -> None:
    await keep(responses(store), request())
    asked = request(previous_response_id="resp_1")
    assert await responses(store, namespace="other").resumed(asked, ADA) is asked


async def test_who_is_nobody_keeps_nothing_where_each_user_has_his_own(store: Store) -> None:
    told: Reply = Told()
    nobody = Caller("team", "shop", "shop-1")
    assert responses(store, "User").remembering(request(), nobody, told) is told


@pytest.mark.parametrize("store_", [None, "redis"])
async def test_what_is_not_kept_is_left_to_its_provider(store: Store, store_: str | None) -> None:
    asked = request(previous_response_id="resp_x")
    assert await responses(store if store_ else None).resumed(asked, ADA) is asked


async def test_with_redis_away_a_former_response_is_an_error_and_a_lone_one_is_not() -> None:
    away = responses(Away())
    lone = request()
    assert await away.resumed(lone, ADA) is lone
    with pytest.raises(ResponsesUnavailable) as caught:
        await resume(away)
    assert caught.value.retry_after_seconds
    told = Told()
    await away.remembering(lone, ADA, told).send(json.dumps(RESPONSE).encode())
    assert told.sent
