import pytest

from penstock_sidecar.cache.semantic.judging import judged

LONG = (
    "Open the app, go to Accounts, press the plus sign and choose Savings. You need a passport or"
    " a driving licence, and proof of your address that is not older than three months. Then sign"
    " the contract in the app; the account is yours within one working day, free of charge."
)
OTHER_LONG = (
    "Telescopes collect light by mirrors. Bigger ones show fainter galaxies, because what matters"
    " is area, and the atmosphere blurs whatever is seen from the ground; hence those in orbit."
)


def never(_a: str, _b: str) -> bool:
    return False


def always(_a: str, _b: str) -> bool:
    return True


@pytest.mark.parametrize(
    ("kept", "given"),
    [
        ("Paris.", "paris"),
        ("It  is\nParis", "It is Paris"),
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}'),
        (LONG, LONG + " "),
    ],
)
def test_the_same_words_are_the_same_answer(kept: str, given: str) -> None:
    assert judged(kept, given, always) == "same"


def test_json_of_another_value_is_another_answer() -> None:
    assert judged('{"a": 1}', '{"a": 2}', never) == "other"


def test_brief_answers_that_the_guard_tells_apart_are_others() -> None:
    assert judged("It costs 5 euros", "It costs 6 euros", always) == "other"


def test_brief_answers_that_are_worded_apart_are_not_judged() -> None:
    assert judged("Yes.", "Correct, it does", never) == "unsure"


def test_a_word_more_in_a_long_answer_changes_nothing() -> None:
    assert judged(LONG, LONG.replace("Then sign", "After that, sign"), never) == "same"


def test_a_long_answer_with_another_number_is_not_judged() -> None:
    assert judged(LONG, LONG.replace("three", "six"), always) == "unsure"


def test_long_answers_about_different_things_are_others() -> None:
    assert judged(LONG, OTHER_LONG, never) == "other"
