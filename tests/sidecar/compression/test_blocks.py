"""Code and JSON are left alone; what is left alone is not lost."""

from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.compression.blocks import blocks_of, in_free_text

TEXTS = st.text(alphabet=st.sampled_from(list("ab \n\t`~{}[]\":1,'\u201c\u201d")), max_size=200)


def shout(text: str) -> str:
    return in_free_text(text, str.upper)


@given(TEXTS)
def test_the_stretches_joined_are_the_text(text: str) -> None:
    assert "".join(part for _, part in blocks_of(text)) == text


def test_fenced_code_stays() -> None:
    text = "see\n```python\nx  =  1\n```\nand\n~~~\ny\n~~~\nend"
    assert shout(text) == "SEE\n```python\nx  =  1\n```\nAND\n~~~\ny\n~~~\nEND"


def test_more_fences_than_anybody_writes_are_left_alone() -> None:
    text = "a\n```\n" * 1_001
    assert shout(text) == text


def test_a_fence_within_a_longer_fence_is_its_content() -> None:
    text = "a\n````\n```\nb\n```\n````\nc"
    assert shout(text) == "A\n````\n```\nb\n```\n````\nC"


def test_a_fence_that_is_never_closed_goes_on_to_the_end() -> None:
    assert shout("a\n```\nb\n\nc") == "A\n```\nb\n\nc"


def test_indented_lines_are_code() -> None:
    assert shout("a\n    b\n\tc\nd") == "A\n    b\n\tc\nD"


def test_json_that_begins_a_line_stays() -> None:
    assert shout('take\n{"a": [1,  2]}\nand {x}') == 'TAKE\n{"a": [1,  2]}\nAND {X}'


def test_a_bracket_that_opens_no_json_is_text() -> None:
    assert shout("[see above] it") == "[SEE ABOVE] IT"


def test_deep_brackets_cost_no_more_than_a_bound() -> None:
    text = "[\n" * 20_000
    assert shout(text) == text
