"""Runs of white space become one; what stands in columns or begins a line stays."""

import pytest

from penstock_sidecar.compression.whitespace import without_blank_lines, without_runs


def test_one_space_is_left_between_words_and_one_empty_line_between_paragraphs() -> None:
    assert without_runs("a  b\t\tc  \r\n\n \n\n d") == "a b c\n\n d"


def test_quotations_and_code_keep_their_spaces() -> None:
    assert without_runs('set  it to "a  b"  now') == 'set it to "a  b" now'
    assert without_runs("name  =  'a  b'") == "name = 'a  b'"
    assert without_runs("key:\n  a   b") == "key:\n  a   b"
    assert without_runs('it says  "a\u200bb"') == 'it says "a\u200bb"'
    assert without_runs("use  `ls  -l`  or  \u201cx  y\u201d") == "use `ls  -l` or \u201cx  y\u201d"


def test_signs_that_nobody_sees_go_and_joiners_stay() -> None:
    assert (
        without_runs("\ufeffa\u200bb \U0001f468\u200d\U0001f469") == "ab \U0001f468\u200d\U0001f469"
    )


@pytest.mark.parametrize(
    "text", ["x" + " " * 100_000 + "x", "\u201c" * 50_000, "\u00ab a" * 50_000]
)
def test_long_runs_take_no_time(text: str) -> None:
    """Minutes, where each place of a run would be a new beginning."""
    assert len(without_runs(text)) <= len(text)


def test_columns_stay_where_only_lines_are_counted() -> None:
    assert without_blank_lines("NAME   AGE\n\n\n\nx      3  \n") == "NAME   AGE\n\nx      3\n"
