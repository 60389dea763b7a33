"""What a ConfigMap's text asks for."""

import json

from hypothesis import given
from hypothesis import strategies as st

from penstock_config.cache_layout import MAX_WARMING, PROMPT, REQUEST
from penstock_operator.warming.prompts import Prompts, read_prompts

ASKED = '{"model": "auto", "messages": [{"role": "user", "content": "When do you open?"}]}'


def test_each_line_is_a_prompt_and_empty_ones_are_none() -> None:
    found = read_prompts("When do you open?\n\n  Where are you?  \r\n[1] is no list\n")
    assert found.entries == (
        (PROMPT, b"When do you open?"),
        (PROMPT, b"Where are you?"),
        (PROMPT, b"[1] is no list"),
    )
    assert (found.unreadable, found.left_out) == ((), 0)


def test_a_line_with_a_brace_is_a_request_as_it_is_written() -> None:
    assert read_prompts(f"  {ASKED}").entries == ((REQUEST, ASKED.encode()),)


def test_what_begins_a_request_and_is_none_is_named_by_its_line() -> None:
    wrong = ["{", '{"messages": []}', '{"messages": "hello"}', '{"model": "auto"}']
    text = "\n".join([*wrong[:2], "fine", *wrong[2:], ASKED, "[[[["])
    found = read_prompts(text)
    assert found.unreadable == (1, 2, 4, 5)
    assert [text for _, text in found.entries] == [b"fine", ASKED.encode(), b"[[[["]


def test_brackets_without_end_are_unreadable() -> None:
    assert read_prompts('{"messages":' + "[" * 100_000).unreadable == (1,)


def test_half_a_character_is_unreadable() -> None:
    assert read_prompts("fine\nhalf \ud83d").unreadable == (2,)


def test_of_too_many_the_first_are_kept_and_the_rest_is_counted() -> None:
    found = read_prompts("\n".join(map(str, range(MAX_WARMING + 3))))
    assert len(found.entries) == MAX_WARMING
    assert found.entries[0] == (PROMPT, b"0")
    assert found.left_out == 3


def test_prompts_are_not_printed() -> None:
    assert "open" not in repr(read_prompts(ASKED))


def test_an_empty_text_has_none() -> None:
    assert read_prompts(" \n\t\n") == Prompts()


@given(
    st.lists(
        st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1)
    )
)
def test_no_prompt_is_lost_or_changed(texts: list[str]) -> None:
    asked = [text for text in texts if not text.startswith("{")]
    whole = [json.dumps({"messages": [{"content": text}]}) for text in texts]
    found = read_prompts("\n".join([*asked, *whole]))
    assert [text.decode() for _, text in found.entries] == [*asked, *whole]
