"""What only spelling adds is left out; what may be meant is not."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_sidecar.cache.normalised.spelling import is_plain, respelt

steady = settings(deadline=None, derandomize=True)

SAME = [
    ("a b", " a  b "),
    ("a b", "a\u00a0b"),
    ("a b", "a b\n\n"),
    ("a\nb", "a \r\n b"),
    ("abc", "ａｂｃ"),  # noqa: RUF001  # full width
    ("caf\u00e9", "cafe\u0301"),
    ("fi", "\ufb01"),
    ("ab", "a\u200bb"),
    ("what's", "what\u2019s"),
]
DIFFERENT = [
    ("5\u00b2", "52"),
    ("H\u2082O", "H2O"),
    ("1\u00bd", "11/2"),
    ("\u2460", "1"),
    ("a b", "ab"),
    ("a\nb", "a b"),
    ("a\n\nb", "a\nb"),
    ("if x:\n    y", "if x:\n  y"),
    ("if x:\n a()\n b()", "if x:\n a()\nb()"),
    ("a\t\tb", "a\tb"),
    ("x    y\n1    2", "x y\n1 2"),
    ("`a  b`", "`a b`"),
    ("```\na  b\n```", "```\na b\n```"),
    ("```\na  b", "```\na b"),
    ('say "a  b"', 'say "a b"'),
    ("say \u201ca  b\u201d", "say \u201ca b\u201d"),
    ("say 'a  b'", "say 'a b'"),
    ('{"a":  1}', '{"a": 1}'),
    ("[1,  2]", "[1, 2]"),
    ("<pre>a  b</pre>", "<pre>a b</pre>"),
    ('"ｂ"', '"b"'),  # noqa: RUF001  # full width
    ("A", "a"),
    ("a", "a."),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_text_in_two_spellings_is_one(one: str, other: str) -> None:
    assert respelt(one) == respelt(other) == one


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_may_be_meant_stays(one: str, other: str) -> None:
    assert respelt(one) != respelt(other)


@steady
@given(st.text("ab \n\t\"'`[]{}<>\u00e9\u00b2\u2019$\\(", max_size=40))
def test_respelling_a_respelt_text_changes_nothing(text: str) -> None:
    assert respelt(respelt(text)) == respelt(text)


@steady
@given(st.text(max_size=40))
def test_nothing_but_spaces_is_ever_lost_of_ascii(text: str) -> None:
    text = text.encode("ascii", "ignore").decode()
    assert "".join(respelt(text).split()) == "".join(text.split())


@pytest.mark.parametrize("mark", ["[", "{", "<a", '"', "`", "'", "$$", "\\(", "\u201c", " ", "\n"])
def test_a_text_of_one_mark_is_read_once(mark: str) -> None:
    """Time grows as the text does: ten times the text, far less than a hundred times as long."""
    short, long = (mark * count for count in (3_000, 30_000))
    assert _seconds(long) < 40 * max(_seconds(short), 0.0005)


@pytest.mark.parametrize(
    "text", ['a "b"', "a\n  b", "a\tb", "`a`", "[1]", "{a}", "<b>", "$$a$$", "say 'a'"]
)
def test_what_is_quoted_or_laid_out_is_not_plain(text: str) -> None:
    assert not is_plain(text)
    assert is_plain("what's in it")


def _seconds(text: str) -> float:
    def once() -> float:
        began = time.process_time()
        respelt(text)
        return time.process_time() - began

    return min(once() for _ in range(3))
