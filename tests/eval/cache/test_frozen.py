"""Pairs and trace are those that were committed before anything was tuned, and what they claim."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import pytest

from tests.eval.cache.frozen import of_pairs, of_trace, promised
from tests.eval.cache.natural import (
    OUT_OF_SCOPE,
    SETS,
    WHOLE_SETS,
    Query,
    excerpt,
    excerpted,
    whole,
)
from tests.eval.cache.pairs import Pair, pairs
from tests.eval.cache.trace import (
    EXCERPT_REQUESTS,
    SHARES,
    WHOLE_REQUESTS,
    Asked,
    Trace,
    trace,
)

CLASSES: Final = 26
DOMAINS: Final = 60


@pytest.fixture(scope="module")
def all_pairs() -> tuple[Pair, ...]:
    return pairs()


@pytest.fixture(scope="module")
def small() -> Trace:
    return trace(excerpt(), EXCERPT_REQUESTS)


@pytest.fixture(scope="module")
def whole_sets() -> tuple[Query, ...]:
    if not WHOLE_SETS.exists():
        pytest.skip(f"{WHOLE_SETS} is not there")
    return whole()


def test_pairs_are_the_frozen_ones() -> None:
    assert of_pairs() == promised()["pairs"]


def test_the_trace_of_the_excerpt_is_the_frozen_one(small: Trace) -> None:
    assert of_trace(small) == promised()["trace of the excerpt"]


def test_the_trace_of_the_whole_sets_is_the_frozen_one(whole_sets: tuple[Query, ...]) -> None:
    made = trace(whole_sets, WHOLE_REQUESTS)
    assert of_trace(made) == promised()["trace of the whole sets"]


def test_the_excerpt_is_one_of_the_whole_sets(whole_sets: tuple[Query, ...]) -> None:
    assert excerpted(whole_sets) == excerpt()


def test_pairs_are_many_of_many_kinds(all_pairs: Sequence[Pair]) -> None:
    assert len(all_pairs) >= 1200
    assert len({pair.kind for pair in all_pairs}) == CLASSES
    assert len({pair.domain for pair in all_pairs}) >= DOMAINS
    assert min(Counter(pair.kind for pair in all_pairs).values()) >= 10


def test_no_pair_is_there_twice_and_none_is_the_same_twice(all_pairs: Sequence[Pair]) -> None:
    texts = [frozenset((pair.first, pair.second)) for pair in all_pairs]
    assert len(set(texts)) == len(texts)
    assert {len(each) for each in texts} == {2}


def test_templates_leave_no_marks_behind(all_pairs: Sequence[Pair]) -> None:
    marks = ("{^}", "\0", "((", "))", "  ")
    text = "\n".join(pair.line for pair in all_pairs)
    assert [mark for mark in marks if mark in text] == []


def test_roles_are_swapped_by_order_alone(all_pairs: Sequence[Pair]) -> None:
    swapped = [pair for pair in all_pairs if pair.kind == "role-swap"]
    assert swapped
    for pair in swapped:
        words = (Counter(text.lower().split()) for text in (pair.first, pair.second))
        one, other = words
        assert sum(((one - other) + (other - one)).values()) <= 4, "bar signs beside a word"


def test_each_kind_of_request_has_its_share(small: Trace) -> None:
    found = Counter(asked.kind for asked in small.second_day)
    assert found == {kind: EXCERPT_REQUESTS * share for kind, share in SHARES.items()}


def test_shares_are_those_that_were_promised() -> None:
    assert SHARES["exact"] + SHARES["spelling"] == pytest.approx(0.72)
    assert sum(SHARES.values()) == pytest.approx(1)


def test_a_repeat_was_asked_before(small: Trace) -> None:
    seen = {query.text for query in small.first_day}
    for asked in small.second_day:
        if asked.kind in {"exact", "spelling"}:
            assert asked.query.text in seen
        seen.add(asked.query.text)


def test_word_for_word_is_word_for_word_and_a_spelling_is_another(small: Trace) -> None:
    for asked in small.second_day:
        assert (
            (asked.text != asked.query.text) == (asked.kind == "spelling") == bool(asked.spelling)
        )


def test_a_paraphrase_is_new_and_its_intent_is_not(small: Trace) -> None:
    texts, intents = _first_day(small)
    for asked in small.second_day:
        if asked.kind == "paraphrase":
            assert asked.query.text not in texts
            assert asked.query.intent in intents
        texts.add(asked.query.text)


def test_both_sets_have_their_part_in_the_paraphrases(small: Trace) -> None:
    sources = Counter(a.query.source for a in small.second_day if a.kind == "paraphrase")
    assert sources[SETS[0]] == sources[SETS[1]] > 0


def test_what_is_novel_nobody_has_asked(small: Trace) -> None:
    texts, _ = _first_day(small)
    novel = [asked for asked in small.second_day if asked.kind == "novel"]
    assert {asked.query.intent for asked in novel} == {OUT_OF_SCOPE}
    assert texts.isdisjoint(asked.text for asked in novel)
    assert len(set(novel)) == len(novel)


def test_building_twice_gives_the_same(small: Trace) -> None:
    assert trace(excerpt(), EXCERPT_REQUESTS) == small
    assert isinstance(small.second_day[0], Asked)


def _first_day(made: Trace) -> tuple[set[str], set[str]]:
    return {query.text for query in made.first_day}, {query.intent for query in made.first_day}
