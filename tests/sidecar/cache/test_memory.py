"""Answers in mind: the latest used, so many bytes, for a few seconds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_sidecar.cache.entry import Entry
from penstock_sidecar.cache.memory import LARGEST_SHARE, OVERHEAD_BYTES, AnswerMemory
from tests.sidecar.cache.builders import USAGE, ManualClock

SIZE = 10_000 + OVERHEAD_BYTES


def entry(size_bytes: int = 10_000) -> Entry:
    return Entry(b"x" * size_bytes, "p", "m", "t", USAGE, 1, 0.0)


def memory(clock: ManualClock | None = None, entries: int = 10) -> AnswerMemory:
    return AnswerMemory(clock or ManualClock(), most_bytes=entries * SIZE)


def test_what_was_put_is_there_for_a_few_seconds() -> None:
    clock = ManualClock()
    mind, kept = memory(clock), entry()
    mind.put("k", kept)
    clock.now += 4.9
    assert mind.get("k") is kept
    clock.now += 0.1
    assert mind.get("k") is None
    assert mind.size_bytes == 0


def test_use_does_not_prolong_it() -> None:
    clock = ManualClock()
    mind = memory(clock)
    mind.put("k", entry())
    for _ in range(5):
        clock.now += 1
        found = mind.get("k")
    assert found is None


def test_what_was_used_longest_ago_gives_way() -> None:
    mind = memory(entries=10)
    for number in range(10):
        mind.put(str(number), entry())
    mind.get("0")
    mind.put("10", entry())
    assert mind.get("0")
    assert mind.get("1") is None
    assert mind.size_bytes == 10 * SIZE


def test_one_answer_never_takes_all() -> None:
    mind = memory(entries=10)
    mind.put("small", entry())
    mind.put("large", entry(10 * SIZE // LARGEST_SHARE))
    assert mind.get("large") is None
    assert mind.get("small")


def test_the_successor_takes_the_place_of_the_former() -> None:
    mind = memory()
    mind.put("k", entry(5))
    mind.put("k", entry(7))
    assert mind.size_bytes == 7 + OVERHEAD_BYTES
    mind.put("k", entry(100 * SIZE))
    assert mind.get("k") is None, "too large to be kept, and the former is not the answer"


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 3 * SIZE), st.booleans())))
def test_it_never_holds_more_than_its_bytes(steps: list[tuple[str, int, bool]]) -> None:
    mind = memory(entries=12)
    for key, size_bytes, drop in steps:
        if drop:
            mind.drop(key)
        else:
            mind.put(key, entry(size_bytes))
        held = [found for name in "abcdefgh" if (found := mind.get(name))]
        assert mind.size_bytes == sum(len(e.body) + OVERHEAD_BYTES for e in held)
        assert mind.size_bytes <= 12 * SIZE
