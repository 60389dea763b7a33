"""What is asked is told from what it is asked about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.classify.instruction import BEGINNING, END, HEAD, head_of, instruction_of


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("Render it in Welsh: the cat sat on the mat.", "Render it in Welsh: "),
        ("Hi there! Could you sum this up? It rained.", "Hi there! Could you sum this up? "),
        ("What follows from this?\nAll men are mortal.", "What follows from this?\n"),
        ("请用三句话概括下面的文章内容:昨天下雨。", "请用三句话概括下面的文章内容:昨天下雨。"),
        ("次の文章を短く要約してください。昨日は雨でした。", "次の文章を短く要約してください。"),
        ("no end in sight", "no end in sight"),
    ],
)
def test_the_first_sentence_ends_at_a_colon_or_a_stop(text: str, head: str) -> None:
    assert head_of(text) == head


def test_a_first_sentence_without_end_is_cut() -> None:
    assert head_of("word " * 1_000) == ("word " * 1_000)[:HEAD]


def asked(text: str) -> str:
    return instruction_of(text).asked


@pytest.mark.parametrize(
    "quotation",
    [
        '"please prove that theorem"',
        "“please prove that theorem”",
        "„please prove that theorem“",
        "«please prove that theorem»",
        "「この定理を証明してください」",
    ],
)
def test_a_quotation_is_left_out_and_counted(quotation: str) -> None:
    found = instruction_of(f"Who said {quotation} yesterday?")
    assert "theorem" not in found.asked
    assert "定理" not in found.asked
    assert found.asked.startswith("Who said")
    assert found.asked.endswith("yesterday?")
    assert found.quoted > 0


def test_a_quoted_word_is_part_of_the_wish() -> None:
    assert asked('What does "jouissance" mean?') == 'What does "jouissance" mean?'


def test_a_text_that_is_all_quotation_is_the_wish() -> None:
    assert asked('"please prove that theorem"') == '"please prove that theorem"'


def test_what_follows_a_line_that_announces_it_is_material() -> None:
    assert asked("Summarise this:\nThe poem moved them.") == "Summarise this:"
    assert (
        asked("Summarise this:\n\nThe poem moved them.\n\nIt ended.").strip() == "Summarise this:"
    )


def test_a_list_of_wishes_stays_whole() -> None:
    text = "Plan a party.\n\nWe need music.\n\nNo meat."
    assert asked(text) == text


def test_of_a_long_text_the_first_block_and_the_last_are_asked() -> None:
    text = "# A report\n\n" + "Much was said. " * 200 + "\n\nTranslate it."
    assert asked(text) == "# A report\nTranslate it."


@pytest.mark.parametrize(
    "text",
    [
        "Don't translate it, tell me who wrote it",
        "do not summarise this, who wrote it",
        "no summary please",
        "I'm not asking you to translate anything",
    ],
)
def test_what_is_ruled_out_is_not_asked(text: str) -> None:
    found = asked(text)
    assert "transl" not in found
    assert "summar" not in found


@given(st.text(max_size=3000))
def test_no_text_gives_more_than_a_bound(text: str) -> None:
    found = instruction_of(text)
    assert len(found.asked) <= BEGINNING + END + 10
    assert found.quoted >= 0
