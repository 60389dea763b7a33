"""Pages give their text, and what no browser would read costs neither an error nor the thread."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock_config.compression import Compression
from penstock_sidecar.compression.markup import MAX_CHARACTERS, without_markup
from penstock_sidecar.compression.shorten import shortened

TAGS = "<div><p>a</p></div>" * 3
PIECES = st.sampled_from([
    *("<!--", "-->", "<![", "<![CDATA[", "]]>", "<![if x]>", "<!x", "<!DOCTYPE html>", "<?php"),
    *("</", "</p>", "&#", "&#x", "&amp;", "9" * 5000, "<script>", "</script>"),
    *("<a href='", '<a href="/x">', "</a>", "<a b", "<img alt=a/>", "<nav>", "<td>"),
    *("</nav>", "<STYLE>", "</style>", "<", ">", "'", '"', "=", "/", " ", "\n", "x"),
])  # fmt: skip
RULES = Compression(boilerplate=True, tool_outputs=True)


@given(st.lists(PIECES, max_size=30).map("".join))
@example("<![ CDATA[ x ]]>")
@example(f"&#{'9' * 5000};")
def test_whatever_stands_in_a_page_it_has_a_text(page: str) -> None:
    text = f"{TAGS}{page}"
    assert len(without_markup(text)) <= len(text)
    messages = [{"role": "tool", "content": text}, {"role": "assistant", "content": text}]
    shortened("openai-chat", {"messages": messages}, RULES)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>a<!-- b --><!-->c<!--->d</p>", "acd"),
        ("a <!-- is never closed, and <b>stays</b>", "a <!-- is never closed, and stays"),
        ("a<![if !IE]>b<![endif]>c", "abc"),
        ("<title><![CDATA[News]]></title>", "<![CDATA[News]]>"),
        ("<!DOCTYPE html><?xml version='1.0'?>a", "a"),
        ("<script>if (a < b) write('<!-- <p>x</p>')</script>c<!-- d -->", "c"),
        ("a<script>never closed", "a"),
        ("a<script src=x />b", "ab"),
        ("a<svg><svg></svg>b</svg>c", "abc"),
        ('<a title="a > b" HREF=https://x.org/?a&amp;b>c</a>', "c (https://x.org/?a&b)"),
        ("<a title='href=/no' href = 'http://y.org'>c</a>", "c (http://y.org)"),
        ("<img src=a alt='two words'><img alt=one />", "two wordsone"),
        ("<p title=it's>that's</p>", "that's"),
        ("1 < 2 &lt; 3 <3 </> <a", "1 < 2 < 3 <3 </> <a"),
        ("<p> <b>a</b> \n </p> <p> </p><td>b</td><td>c</td>", "a\nb | c"),
    ],
)
def test_of_a_page_its_text_stays(page: str, text: str) -> None:
    assert re.sub(" +", " ", without_markup(page)) == text


@pytest.mark.parametrize(
    "unit", ["<!-- a", "<a href='", "<a b", "<a '='", "<nav></p>", "<b> </b>", "<![CDATA["]
)
def test_much_of_the_same_takes_no_time(unit: str) -> None:
    """Seconds, where each would be read to the end of the page."""
    without_markup(TAGS + unit * 20_000)


def test_what_is_longer_than_a_page_stays() -> None:
    text = f"<p>{'x' * MAX_CHARACTERS}</p>"
    assert without_markup(text) == text
