"""Graphics memory: bytes are never promised twice, and always come back."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.ensemble.gpu import GpuMemory
from penstock_sidecar.model import Candidate
from tests.sidecar.routing.builders import model, provider

CARD = "shop/local"


def local(name: str, size: int | None, capacity: int | None = 8) -> Candidate:
    found = model(name).model_copy(update={"vram_bytes": size})
    card = provider("local", found).model_copy(update={"gpu_memory_bytes": capacity})
    return Candidate(card, found, "panel", "shop/panel")


class Guests:
    """Tasks that want memory, and keep it until told."""

    def __init__(self, memory: GpuMemory) -> None:
        self.memory = memory
        self.inside: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.leave: dict[str, asyncio.Event] = {}

    async def comes(self, guest: str, wanted: Candidate) -> None:
        self.leave[guest] = asyncio.Event()
        self.tasks[guest] = asyncio.create_task(self._stay(guest, wanted))
        await settle()

    async def goes(self, guest: str) -> None:
        self.leave[guest].set()
        await self.tasks[guest]
        await settle()

    async def is_cancelled(self, guest: str) -> None:
        self.tasks[guest].cancel()
        await asyncio.gather(self.tasks[guest], return_exceptions=True)
        await settle()

    async def _stay(self, guest: str, wanted: Candidate) -> None:
        async with self.memory.room(wanted):
            self.inside.append(guest)
            try:
                await self.leave[guest].wait()
            finally:
                self.inside.remove(guest)


async def settle() -> None:
    """Whoever can go on has."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def guests() -> Guests:
    return Guests(GpuMemory())


async def test_who_fits_runs_and_who_does_not_waits(guests: Guests) -> None:
    await guests.comes("a", local("a", 5))
    await guests.comes("b", local("b", 3))
    await guests.comes("c", local("c", 1))
    assert guests.inside == ["a", "b"]
    assert (guests.memory.used_bytes(CARD), guests.memory.waiting(CARD)) == (8, 1)
    await guests.goes("b")
    assert guests.inside == ["a", "c"]
    await guests.goes("a")
    await guests.goes("c")
    assert (guests.memory.used_bytes(CARD), guests.memory.waiting(CARD)) == (0, 0)


async def test_a_large_one_is_not_starved_by_small_ones(guests: Guests) -> None:
    await guests.comes("small", local("small", 2))
    await guests.comes("large", local("large", 8))
    await guests.comes("late", local("late", 2))
    assert guests.inside == ["small"], "the late one would fit, and waits behind the large"
    await guests.goes("small")
    assert guests.inside == ["large"]
    await guests.goes("large")
    assert guests.inside == ["late"]
    await guests.goes("late")


async def test_a_model_is_loaded_once_for_all_who_ask_it(guests: Guests) -> None:
    for guest in ("one", "two", "three"):
        await guests.comes(guest, local("same", 6))
    assert guests.inside == ["one", "two", "three"]
    assert guests.memory.used_bytes(CARD) == 6
    for guest in ("one", "two"):
        await guests.goes(guest)
    assert guests.memory.used_bytes(CARD) == 6
    await guests.goes("three")
    assert guests.memory.used_bytes(CARD) == 0


async def test_one_that_is_larger_than_the_card_runs_alone(guests: Guests) -> None:
    await guests.comes("huge", local("huge", 100))
    await guests.comes("tiny", local("tiny", 1))
    assert guests.inside == ["huge"]
    await guests.goes("huge")
    await guests.goes("tiny")


async def test_who_is_cancelled_while_waiting_lets_the_next_one_in(guests: Guests) -> None:
    await guests.comes("a", local("a", 5))
    await guests.comes("large", local("large", 8))
    await guests.comes("b", local("b", 3))
    await guests.is_cancelled("large")
    assert guests.inside == ["a", "b"]
    await guests.is_cancelled("a")
    await guests.is_cancelled("b")
    assert guests.memory.used_bytes(CARD) == 0


async def test_who_is_cancelled_in_the_moment_of_his_turn_gives_it_back(guests: Guests) -> None:
    await guests.comes("a", local("a", 8))
    await guests.comes("b", local("b", 8))
    await guests.comes("c", local("c", 8))
    guests.leave["a"].set()
    await asyncio.sleep(0)  # a leaves, and b's turn is there; b has not woken yet
    await guests.is_cancelled("b")
    await settle()
    assert guests.inside == ["c"]
    await guests.goes("c")
    assert guests.memory.used_bytes(CARD) == 0


@pytest.mark.parametrize("wanted", [local("a", None), local("a", 5, None)])
async def test_without_figures_there_is_no_bound(guests: Guests, wanted: Candidate) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(100):
            await stack.enter_async_context(guests.memory.room(wanted))
    assert guests.memory.used_bytes(CARD) == 0


async def test_a_model_that_a_replica_holds_already_waits_for_nobody_and_still_counts() -> None:
    loaded = {"b"}
    guests = Guests(GpuMemory(lambda candidate: candidate.model.name in loaded))
    await guests.comes("a", local("a", 5))
    await guests.comes("c", local("c", 4))
    await guests.comes("b", local("b", 5))
    assert guests.inside == ["a", "b"]
    assert (guests.memory.used_bytes(CARD), guests.memory.waiting(CARD)) == (10, 1)
    await guests.goes("a")
    assert guests.inside == ["b"], "beside the loaded one there is no room for the third"
    await guests.goes("b")
    assert guests.inside == ["c"]
    await guests.goes("c")
    assert guests.memory.used_bytes(CARD) == 0


@given(st.data())
def test_whatever_happens_the_card_is_never_overfull_and_empty_in_the_end(
    data: st.DataObject,
) -> None:
    sizes = {"a": 3, "b": 4, "c": 6, "d": 8}

    async def play() -> None:
        guests = Guests(GpuMemory())
        for number in range(data.draw(st.integers(1, 15))):
            act = data.draw(st.sampled_from(["comes", "goes", "cancelled"]))
            there = [guest for guest, task in guests.tasks.items() if not task.done()]
            if act == "comes" or not there:
                name = data.draw(st.sampled_from(sorted(sizes)))
                await guests.comes(f"{name}{number}", local(name, sizes[name]))
            elif act == "goes" and guests.inside:
                await guests.goes(data.draw(st.sampled_from(guests.inside)))
            else:
                await guests.is_cancelled(data.draw(st.sampled_from(there)))
            loaded = {guest[0] for guest in guests.inside}
            used = sum(sizes[name] for name in loaded)
            assert guests.memory.used_bytes(CARD) == used <= 8
        for guest in list(guests.tasks):
            await guests.is_cancelled(guest)
        assert (guests.memory.used_bytes(CARD), guests.memory.waiting(CARD)) == (0, 0)

    asyncio.run(play())
