"""What becomes of turns that are to be summed up."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from penstock_config.policy import Memory
from penstock_sidecar.errors import BudgetExceeded
from penstock_sidecar.model import Caller
from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.sessions import Sessions, Summaries
from penstock_sidecar.sessions.summaries import MAX_AT_ONCE
from tests.sidecar.sessions.builders import ADA, asked, opened, shelf, texts, turn

BEFORE = "In short, this is what we said before:\n\n"


@dataclass
class Cheap:
    """A model that says how often it was asked; `says` of None is one that fails."""

    says: str | None = "Notes"
    gate: asyncio.Event | None = None
    asked: list[str] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(
        self, _caller: Caller, _headers: Mapping[str, str], asked: tuple[str, str], _most: int
    ) -> str:
        self.asked.append(asked[1])
        self.began.set()
        if self.gate:
            await self.gate.wait()
        if self.says is None:
            raise BudgetExceeded("nothing is left")
        return self.says and f"{self.says} {len(self.asked)}."


@dataclass
class Memories:
    of: Sessions
    summaries: Summaries
    cheap: Cheap

    async def say(self, text: str, session: str = "s") -> list[tuple[str, str]]:
        """One turn; then what is summed up has been."""
        found = texts(await turn(self.of, text, f"{text}!", session=session))
        await self.summaries.settled()
        return found


def memories(store: RedisStore, cheap: Cheap, messages: int = 2) -> Memories:
    memory = Memory(messages=messages, summarise=True)
    place = shelf(store, messages=messages, summarise=True)
    summaries = Summaries(place, cheap)
    return Memories(Sessions(memory, place, summaries), summaries, cheap)


async def test_what_is_about_to_be_forgotten_is_summed_up(store: RedisStore) -> None:
    here = memories(store, Cheap())
    await here.say("one")
    assert here.cheap.asked == []
    await here.say("two")
    assert here.cheap.asked == ["<notes></notes>\n\n<user>one</user>\n<assistant>one!</assistant>"]
    assert await here.say("three") == [
        ("user", BEFORE + "Notes 1."),
        ("assistant", "I remember."),
        ("user", "two"),
        ("assistant", "two!"),
        ("user", "three"),
    ]
    assert here.cheap.asked[1].startswith("<notes>Notes 1.</notes>\n\n<user>two</user>")
    await here.of.close()


@pytest.mark.parametrize("says", [None, ""])
async def test_a_model_that_fails_is_a_turn_forgotten(store: RedisStore, says: str | None) -> None:
    here = memories(store, Cheap())
    await here.say("one")
    await here.say("two")
    here.cheap.says = says
    await here.say("three")
    here.cheap.says = None
    assert await here.say("four") == [
        ("user", BEFORE + "Notes 1."),
        ("assistant", "I remember."),
        ("user", "three"),
        ("assistant", "three!"),
        ("user", "four"),
    ]
    await here.of.close()


async def test_the_answer_does_not_wait_for_it(store: RedisStore) -> None:
    here = memories(store, Cheap(gate=asyncio.Event()))
    await turn(here.of, "one", "one!")
    await turn(here.of, "two", "two!")
    assert texts(await turn(here.of, "three", "three!"))[:2] == [
        ("user", "two"),
        ("assistant", "two!"),
    ]
    assert len(here.cheap.asked) <= 1
    await here.of.close()


async def test_closing_ends_it_and_nothing_is_lost(store: RedisStore) -> None:
    here = memories(store, Cheap(gate=asyncio.Event()))
    await turn(here.of, "one", "one!")
    await turn(here.of, "two", "two!")
    await here.cheap.began.wait()
    await here.of.close()
    later = memories(store, Cheap())
    await later.say("three")
    assert "<user>one</user>" in later.cheap.asked[0]
    assert "<user>two</user>" in later.cheap.asked[0]
    await later.of.close()


async def test_only_so_many_are_summed_up_at_once(store: RedisStore) -> None:
    gate = asyncio.Event()
    here = memories(store, Cheap(gate=gate))
    names = [str(number) for number in range(MAX_AT_ONCE + 2)]
    for name in names:
        await turn(here.of, "one", "one!", session=name)
        await turn(here.of, "two", "two!", session=name)
    gate.set()
    await here.summaries.settled()
    assert len(here.cheap.asked) == MAX_AT_ONCE
    await here.say("three", session=names[-1])
    assert "<user>one</user>" in here.cheap.asked[-1]
    await here.of.close()


async def test_without_summaries_older_turns_are_forgotten(store: RedisStore) -> None:
    of = Sessions(Memory(messages=2), shelf(store, messages=2), None)
    for text in ("one", "two"):
        await turn(of, text, f"{text}!")
    assert texts((await opened(of, asked("three"), ADA)).request)[0] == ("user", "two")
