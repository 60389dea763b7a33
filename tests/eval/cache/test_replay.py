"""What is replayed is what the cache would do, step by step."""

from collections.abc import Sequence

from tests.eval.cache.levels import Name, Refuses, unguarded
from tests.eval.cache.natural import Query
from tests.eval.cache.nearness import Near, in_stream
from tests.eval.cache.pairs import Pair
from tests.eval.cache.replay import Reply, Shelf, Stream, replayed
from tests.eval.cache.scoring import by_class, false_hits, hits, judged, lost

ALL = 4


def play(
    texts: Sequence[str],
    near: Sequence[Sequence[Near]],
    refuses: Refuses = unguarded,
    most_matches: int = ALL,
    *,
    keeps_all: bool = False,
) -> list[Reply]:
    names = [Name(text, text.lower()) for text in texts]
    return replayed(Shelf(Stream(texts, names, near), 0.95, refuses, most_matches, keeps_all))


def test_the_same_words_are_an_exact_hit_and_another_spelling_a_normalised_one() -> None:
    assert play(["a", "a", "A"], [(), (), ()]) == [
        Reply("miss", 0),
        Reply("hit-exact", 0),
        Reply("hit-normalised", 0),
    ]


def test_what_is_near_enough_is_a_semantic_hit() -> None:
    assert play(["a", "b", "c"], [(), [(0, 0.95)], [(0, 0.9499)]]) == [
        Reply("miss", 0),
        Reply("hit-semantic", 0),
        Reply("miss", 2),
    ]


def test_what_was_answered_from_the_cache_is_not_kept() -> None:
    near = [(), [(0, 0.96)], [(1, 0.99), (0, 0.94)]]
    assert play(["a", "b", "c"], near)[2] == Reply("miss", 2)
    assert play(["a", "b", "c"], near, keeps_all=True)[2] == Reply("hit-semantic", 1)


def test_the_guard_lets_the_next_one_answer() -> None:
    def only_a(_asked: str, kept: str) -> bool:
        return kept != "a"

    near = [(), (), [(1, 0.99), (0, 0.96)]]
    assert play(["a", "b", "c"], near, only_a)[2] == Reply("hit-semantic", 0)


def test_no_more_matches_are_looked_at_than_the_sidecar_asks_for() -> None:
    def only_a(_asked: str, kept: str) -> bool:
        return kept != "a"

    near = [(), (), [(1, 0.99), (0, 0.96)]]
    assert play(["a", "b", "c"], near, only_a, most_matches=1)[2] == Reply("miss", 2)


def test_repeats_in_a_stream_are_near_to_what_their_first_was_near_to() -> None:
    texts = ["x", "a", "x", "b"]
    assert in_stream(texts, [(), (), [(1, 0.97), (0, 0.9)]]) == [
        [],
        [],
        [],
        [(1, 0.97), (0, 0.9)],
    ]


def test_hits_are_counted_by_level_and_across_labels() -> None:
    asked = [Query("s", intent, "") for intent in ("pin", "pin", "fee", "fee")]
    replies = [Reply("miss", 0), Reply("hit-exact", 0), Reply("hit-semantic", 0), Reply("miss", 3)]
    found = hits(asked, replies, range(1, 4))
    assert (found.requests, found.rate.part) == (3, 2)
    assert found.of("hit-semantic").part == found.wrong("hit-semantic").part == 1
    assert found.wrong("hit-exact").part == 0


def test_what_the_guard_costs_is_a_share_of_the_hits_without_it() -> None:
    asked = [Query("s", "pin", "")] * 4
    without = hits(asked, [Reply("hit-semantic", 0)] * 4, range(4))
    with_it = hits(asked, [*[Reply("hit-semantic", 0)] * 3, Reply("miss", 3)], range(4))
    assert (lost(with_it, without).part, lost(with_it, without).whole) == (1, 4)


PAIR = Pair(1, "unit", "cooking", "a", "b")
NAMES = (Name("a", "a"), Name("b", "b"))


def test_a_pair_is_false_when_the_guard_lets_it_through_either_way() -> None:
    def one_way(asked: str, _kept: str) -> bool:
        return asked == "a"

    assert judged(PAIR, 0.99, NAMES, 0.95, one_way).level == "hit-semantic"
    assert judged(PAIR, 0.99, NAMES, 0.95, lambda _asked, _kept: True).level == "miss"


def test_a_pair_that_is_not_near_is_no_false_hit() -> None:
    assert judged(PAIR, 0.94, NAMES, 0.95, unguarded).level == "miss"


def test_a_pair_that_one_name_covers_is_false_whatever_the_guard_says() -> None:
    same = (Name("a", "n"), Name("b", "n"))
    found = judged(PAIR, 0.5, same, 0.95, lambda _asked, _kept: True)
    assert found.level == "hit-normalised"
    assert false_hits([found]).part == 1
    assert list(by_class([found])) == ["unit"]
