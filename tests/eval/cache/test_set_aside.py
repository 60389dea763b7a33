"""No pair is judged by that a word of the guard's own tables tells apart.

"Using no word of the tables" is meant of what tells the two requests apart. The words that both
have in common (`how`, `the`, `to`) may be anywhere: they cannot help a guard.
"""

from tests.eval.cache.pairs import Pair, pairs
from tests.eval.cache.scoring import LEAST_PAIRS
from tests.eval.cache.set_aside import (
    colliding,
    is_set_aside,
    table_words,
    telling_words,
)


def test_judged_pairs_use_no_word_of_the_guards_tables() -> None:
    known = table_words()
    used = {pair.number: telling_words(pair) & known for pair in pairs() if not is_set_aside(pair)}
    assert {number: words for number, words in used.items() if words} == {}


def test_no_pair_is_set_aside_for_another_reason() -> None:
    assert [pair.number for pair in pairs() if is_set_aside(pair)] == colliding()


def test_enough_pairs_are_left() -> None:
    assert sum(not is_set_aside(pair) for pair in pairs()) >= LEAST_PAIRS


def test_tables_are_found_where_the_guard_has_them() -> None:
    """Its words for reasons are in it for sure; so would be those of any set or pattern."""
    assert "numbers" in table_words()


def test_telling_words_are_those_that_differ() -> None:
    pair = Pair(1, "negation", "hr", "May the employer's cat sleep?", "May the nurse's cat nap?")
    assert telling_words(pair) == {"employer's", "employer", "nurse's", "nurse", "sleep", "nap"}


def test_words_in_another_order_tell_nothing() -> None:
    pair = Pair(1, "role-swap", "travel", "From Rome to Bern", "From Bern to Rome")
    assert telling_words(pair) == frozenset()
