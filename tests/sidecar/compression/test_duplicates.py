"""The first time stays; what is too short to be a repetition stays each time."""

from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.compression.duplicates import AS_ABOVE, Repetitions, sentences

LONG = "Returns are free within thirty days of the delivery of your order."
OTHER = "Refunds reach the card that was used in five to seven working days."


def test_a_paragraph_that_came_before_goes_with_its_gap() -> None:
    text = f"{LONG}\n\n{OTHER}\n\n{LONG}\n\nB"
    assert Repetitions().without(text) == f"{LONG}\n\n{OTHER}\n\nB"


def test_a_label_does_not_lose_what_it_is_the_label_of() -> None:
    """Else the second order would have no state."""
    orders = f"## Order 1\n\n{LONG}\n\n## Order 2\n\n"
    assert Repetitions().without(f"{orders}{LONG}") == f"{orders}{AS_ABOVE}"
    seen = Repetitions()
    assert seen.without(f"Order 1. {LONG}") == f"Order 1. {LONG}"
    assert seen.without(f"Order 2. {LONG} {OTHER}") == f"Order 2. {AS_ABOVE} {OTHER}"


def test_spacing_does_not_make_another_paragraph() -> None:
    assert Repetitions().without(f"{LONG}\n\n{LONG.replace(' ', '  ')}") == f"{LONG}\n\n"


def test_a_sentence_that_came_before_goes_from_an_overlapping_passage() -> None:
    seen = Repetitions()
    assert seen.without(f"{LONG} {OTHER}") == f"{LONG} {OTHER}"
    assert seen.without(f"{OTHER} Gifts are excluded.") == "Gifts are excluded."


def test_nothing_goes_from_inside_a_quotation() -> None:
    """What somebody wrote is what he wrote."""
    seen = Repetitions()
    seen.without(f"{LONG} {OTHER}")
    for quoted in (
        f'She wrote: "Hello. {LONG} Bye."',
        f"\u201cHello. {OTHER} {LONG}\u201d It is so.",
    ):
        assert seen.without(quoted) == quoted
    assert seen.without(f'"Hello. {OTHER}" she wrote. {LONG} So.') == (
        f'"Hello. {OTHER}" she wrote. So.'
    )


@given(st.text(alphabet=st.sampled_from(list("ab.? \n\"'`\u201c\u201d")), max_size=100))
def test_sentences_joined_are_the_text(text: str) -> None:
    assert "".join(sentences(text)) == text


def test_short_ones_stay_each_time() -> None:
    assert Repetitions().without("Yes.\n\nYes.\n\nYes.") == "Yes.\n\nYes.\n\nYes."


def test_case_tells_apart() -> None:
    text = f"{LONG}\n\n{LONG.upper()}"
    assert Repetitions().without(text) == text


def test_an_output_that_came_before_is_named_and_short_ones_are_told_again() -> None:
    seen = Repetitions()
    assert [seen.of_output(text) for text in (LONG, LONG, "ok", "ok")] == [
        *(LONG, AS_ABOVE),
        *("ok", "ok"),
    ]
