"""Which of several answers is given, whatever the order in which they came."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_config.provider import Price
from penstock_sidecar.ensemble.consensus import Ballot, chosen_by, decided, majority, nearest
from penstock_sidecar.ensemble.similarity import lexical
from penstock_sidecar.model import Candidate
from tests.sidecar.routing.builders import model, provider


def candidate(name: str, quality: int | None = None, price: int | None = None) -> Candidate:
    cost = None if price is None else Price(input_token=price, output_token=price)
    found = model(name).model_copy(update={"quality": quality, "price": cost})
    return Candidate(provider("cloud", found), found, "panel", "shop/panel")


def ballots(*votes: str) -> list[Ballot]:
    """Of equal models, named by their order."""
    return [Ballot(candidate(f"m{n:02}"), vote, vote) for n, vote in enumerate(votes)]


VOTES = st.lists(st.sampled_from("abcd"), min_size=1, max_size=12)
PANEL = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from([None, 10, 20]),
        st.sampled_from([None, 1, 2]),
    ),
    min_size=1,
    max_size=8,
).map(
    lambda drawn: [
        Ballot(candidate(f"m{n}", quality, price), vote, vote)
        for n, (vote, quality, price) in enumerate(drawn)
    ]
)


@given(VOTES)
def test_what_most_say_is_chosen_and_its_share_is_the_agreement(votes: list[str]) -> None:
    decision = majority(ballots(*votes))
    count = votes.count(votes[decision.chosen])
    assert count == max(map(votes.count, votes))
    if len(votes) > 1:
        assert decision.agreement == count / len(votes)
        assert decision.confidences == tuple(votes.count(v) / len(votes) for v in votes)


@given(PANEL, st.randoms(use_true_random=False))
def test_no_order_of_answers_changes_who_is_chosen(panel: list[Ballot], random: object) -> None:
    shuffled = list(panel)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random of hypothesis
    for one, other in (
        (majority(panel), majority(shuffled)),
        (nearest(panel, matrix(panel)), nearest(shuffled, matrix(shuffled))),
    ):
        assert panel[one.chosen] is shuffled[other.chosen]
        assert one.agreement == pytest.approx(other.agreement)
        by_name = {b.candidate.label: c for b, c in zip(panel, one.confidences, strict=True)}
        for shown, confidence in zip(shuffled, other.confidences, strict=True):
            assert by_name[shown.candidate.label] == pytest.approx(confidence)


def matrix(panel: list[Ballot]) -> tuple[tuple[float, ...], ...]:
    return lexical([each.text for each in panel])


def test_a_tie_goes_to_the_better_model_then_to_the_cheaper() -> None:
    good = Ballot(candidate("good", 90, 5), "a", "a")
    cheap = Ballot(candidate("cheap", 50, 1), "b", "b")
    dear = Ballot(candidate("dear", 50, 9), "c", "c")
    unknown = Ballot(candidate("unknown"), "d", "d")
    unpriced = Ballot(candidate("unpriced", 50), "e", "e")
    order = [good, cheap, dear, unpriced, unknown]
    while order:
        assert order[majority(order).chosen] is order[0]
        order.pop(0)


def test_of_those_who_agree_the_best_models_words_are_given() -> None:
    panel = [
        Ballot(candidate("weak", 10), "Paris", "paris"),
        Ballot(candidate("strong", 90), "It is Paris", "paris"),
        Ballot(candidate("wrong", 99), "Lyon", "lyon"),
    ]
    assert majority(panel).chosen == 1


def test_an_answer_that_is_alone_agrees_with_nobody() -> None:
    assert majority(ballots("a")).agreement == 0


@given(st.lists(st.sampled_from("abc"), max_size=5), st.integers(0, 4))
def test_it_is_decided_when_nothing_that_may_come_changes_it(
    votes: list[str], outstanding: int
) -> None:
    """By trying all that may come, a new answer included."""
    ends = set()
    for rest in product("abcx", repeat=outstanding):
        final = ballots(*votes, *rest)
        tops = {b.says for b in final if count(final, b) == max(count(final, o) for o in final)}
        ends.add(frozenset(tops))
    certain = len(ends) == 1 and len(next(iter(ends))) == 1
    assert decided(ballots(*votes), outstanding) == certain


def count(panel: list[Ballot], of: Ballot) -> int:
    return sum(each.says == of.says for each in panel)


def test_the_nearest_is_the_one_in_the_middle() -> None:
    panel = ballots(
        "the cat sat on the mat", "the cat sat on a mat today", "a cat sat on a mat", "I refuse"
    )
    decision = nearest(panel, matrix(panel))
    assert decision.chosen in {0, 1, 2}
    assert decision.agreement == max(decision.confidences)
    assert decision.confidences[3] == min(decision.confidences)


def test_a_judges_choice_keeps_the_figures() -> None:
    panel = ballots("the cat", "the cat sat", "I refuse")
    near = matrix(panel)
    decision = chosen_by(near, 2)
    assert (decision.chosen, decision.confidences) == (2, nearest(panel, near).confidences)
    assert decision.agreement == decision.confidences[2]
