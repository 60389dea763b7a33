"""What a session remembers, of whom, and what it never does: double or cut what was said."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import redis.asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock_config.credentials import RedisAccess
from penstock_sidecar.errors import MalformedRequest, SessionNotFound, SessionsUnavailable
from penstock_sidecar.model import Caller
from penstock_sidecar.redis_store import RedisStore, connect
from penstock_sidecar.sessions import Session, Sessions
from tests.sidecar.sessions.builders import (
    ADA,
    Away,
    Silent,
    answer,
    asked,
    completion,
    opened,
    sessions,
    texts,
    turn,
)
from tests.sidecar.sessions.conftest import PATIENT_SECONDS
from tests.sidecar.sessions.test_fitting import candidate

BOB = Caller("team", "shop", "shop-1", "bob")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["turn", "resend", "alone", "fail", "leave", "erase", "tool"]),
        st.sampled_from(["one", "two"]),
        st.sampled_from([ADA, BOB]),
    ),
    max_size=12,
)


@dataclass
class Conversation:
    """What a session should hold, told by a model of it that knows no Redis."""

    of: Sessions
    most: int
    kept: dict[tuple[str, str], list[tuple[str, Any]]] = field(default_factory=dict)
    number: int = 0

    async def step(self, kind: str, name: str, caller: Caller) -> None:
        kept = self.kept.setdefault((caller.user, name), [])
        self.number += 1
        said, told = f"said {self.number}", f"told {self.number}"
        if kind == "erase":
            await self._erase(name, caller, kept)
        elif kind == "resend":
            await self._resend(said, told, name, caller)
        elif kind == "alone":
            assert await self.of.opened(asked(said, session=None), caller) is None
        else:
            session = await opened(self.of, asked(said, session=name), caller)
            assert texts(session.request) == [*kept, ("user", said)]
            await self._end(kind, session, told)
            if kind == "turn":
                kept += [("user", said), ("assistant", told)]
                del kept[: -self.most]

    async def _resend(self, said: str, told: str, name: str, caller: Caller) -> None:
        """All that there was, or a word of the assistant's where nothing was."""
        kept = self.kept[caller.user, name] or [("assistant", "Yes?")]
        resent = [{"role": role, "content": text} for role, text in kept]
        session = await opened(self.of, asked(*resent, said, session=name), caller)
        assert texts(session.request) == [*kept, ("user", said)]
        await answer(session, told)

    async def _end(self, kind: str, session: Session, told: str) -> None:
        """An answer, a call of a tool, a caller who leaves, or a failure: nothing at all."""
        if kind == "turn":
            await answer(session, told)
        elif kind == "tool":
            call = [{"id": "c", "type": "function", "function": {"name": "f"}}]
            body = completion("", "tool_calls", tool_calls=call)
            await session.remembering(Silent()).send(body)
        elif kind == "leave":
            await session.remembering(Silent()).start("application/json", {})

    async def _erase(self, name: str, caller: Caller, kept: list[Any]) -> None:
        if kept:
            await self.of.forget(name, caller)
            kept.clear()
        else:
            with pytest.raises(SessionNotFound):
                await self.of.forget(name, caller)


@given(steps=STEPS, messages=st.sampled_from([2, 4, 200]))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_the_past_is_there_once_in_its_order(
    redis_url: str, steps: list[Any], messages: int
) -> None:
    """Two users and two sessions; each turn goes on from its own, and from nothing else."""

    async def run() -> None:
        async with redis.asyncio.Redis.from_url(redis_url) as books:
            await books.flushall()
        store = await connect(RedisAccess(url=redis_url), deadline_seconds=PATIENT_SECONDS)
        try:
            of = sessions(store, "User", messages=messages)
            conversation = Conversation(of, messages)
            for step in steps:
                await conversation.step(*step)
        finally:
            await store.close()

    asyncio.run(run())


async def test_turns_of_one_session_at_once_are_whole(store: RedisStore) -> None:
    of = sessions(store, messages=200)
    await asyncio.gather(*(turn(of, f"said {n}", f"told {n}") for n in range(30)))
    found = texts((await opened(of, asked("And?"))).request)[:-1]
    pairs = list(zip(found[::2], found[1::2], strict=True))
    assert sorted(pairs) == sorted(
        (("user", f"said {n}"), ("assistant", f"told {n}")) for n in range(30)
    )


async def test_of_two_first_turns_the_longer_does_not_bring_an_erased_session_back(
    store: RedisStore,
) -> None:
    of = sessions(store)
    short, long = [await opened(of, asked("Hi.")) for _ in range(2)]
    await answer(short, "Hello.")
    await of.forget("s", ADA)
    later = await opened(of, asked("Who am I?"))
    await answer(long, "Hello, hello.")
    await answer(later, "Ada.")
    found = texts((await opened(of, asked("And?"))).request)
    assert found == [("user", "Who am I?"), ("assistant", "Ada."), ("user", "And?")]


async def test_nor_does_one_that_began_without_redis(store: RedisStore) -> None:
    of = sessions(store)
    blind = replace(await opened(sessions(Away()), asked("Hi.")), sessions=of)
    await turn(of, "I am Ada.", "Hello.")
    await of.forget("s", ADA)
    await answer(blind, "Hello.")
    assert (await opened(of, asked("And?"))).state == "new"


async def test_other_apps_have_other_sessions(store: RedisStore) -> None:
    of, till = sessions(store), Caller("team", "till", "till-1", "ada")
    await turn(of, "I am Ada.", "Hello.")
    assert texts(await turn(of, "Who?", "Hm.", till)) == [("user", "Who?")]
    everywhere = sessions(store, "Namespace")
    await turn(everywhere, "I am Ada.", "Hello.")
    assert len(texts(await turn(everywhere, "Who?", "Hm.", till))) == 3


async def test_without_redis_the_request_goes_on_as_it_is() -> None:
    request = asked("Hi.")
    for of in (sessions(None), sessions(Away())):
        session = await opened(of, request)
        assert session.state == "unavailable"
        assert session.request is request
        await answer(session, "Hello.")
    with pytest.raises(SessionsUnavailable):
        await sessions(Away()).forget("s", ADA)


async def test_a_caller_whom_nobody_named_has_no_session_of_his_own(store: RedisStore) -> None:
    of, nobody = sessions(store, "User"), Caller("team", "shop", "shop-1")
    session = await opened(of, asked("Hi."), nobody)
    assert session.state == "unused"
    reply = Silent()
    assert session.remembering(reply) is reply
    with pytest.raises(SessionNotFound):
        await of.forget("s", nobody)


@pytest.mark.parametrize("name", ["", "s" * 257, "a\tb", "é"])
async def test_an_unusable_name_is_refused(store: RedisStore, name: str) -> None:
    with pytest.raises(MalformedRequest) as refused:
        await opened(sessions(store), asked("Hi.", session=name))
    assert refused.value.param == "x-penstock-session"


async def test_the_past_is_shortened_to_the_widest_window(store: RedisStore) -> None:
    of = sessions(store, messages=200)
    for number in range(10):
        await turn(of, f"{number} " + "x" * 300, "Yes.")
    session = await opened(of, asked("And?", max_tokens=50))
    shorter = session.shortened([candidate(300), candidate(700)])
    assert shorter is not None
    found = [text.split()[0] for role, text in texts(shorter) if role == "user"]
    assert found == ["6", "7", "8", "9", "And?"]
    assert session.shortened([candidate(None)]) is None
    nothing = session.shortened([candidate(60)])
    assert nothing is not None
    assert texts(nothing) == [("user", "And?")]


async def test_pictures_stay_with_their_api_and_with_models_that_see(store: RedisStore) -> None:
    of = sessions(store)
    url = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    picture = {"role": "user", "content": [{"type": "text", "text": "Look."}, url]}
    await answer(await opened(of, asked(picture)), "A cat.")
    session = await opened(of, asked("What colour?"))
    assert session.request.images == 1
    blind = session.shortened([candidate(None)])
    assert blind is not None
    assert texts(blind) == [("user", "What colour?")]
    assert session.shortened([candidate(None, None, "chat", "vision")]) is None
    other = await opened(of, asked("What colour?", api="ollama-chat"))
    assert other.state == "resumed"
    assert texts(other.request) == [("user", "What colour?")]
