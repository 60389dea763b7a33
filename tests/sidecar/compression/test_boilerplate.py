"""Pages lose what is around their text, and nothing that somebody may ask for."""

import pytest

from penstock_sidecar.compression.boilerplate import without_boilerplate

PAGE = """<html><head><title>Returns</title><style>p {color: red}</style></head><body>
<nav><a href="/">Home</a> <a href="/shop">Shop</a></nav>
<script>track(1);</script>
<h1>Returns</h1><p>Send it back within <b>30&nbsp;days</b>,
by <a href="https://example.com/form">this form</a>.</p>
<table><tr><th>Zone</th><th>Fee</th></tr><tr><td>EU</td><td>4.90</td></tr></table>
<footer>Questions: 030 1234</footer></body></html>"""


def test_a_page_becomes_its_text() -> None:
    assert without_boilerplate(PAGE) == (
        "Returns\nReturns\nSend it back within 30\u00a0days, by this form (https://example.com/form).\n"
        "Zone | Fee\nEU | 4.90\nQuestions: 030 1234"
    )


def test_a_few_tags_are_an_example_and_stay() -> None:
    text = "Write <b>bold</b> so."
    assert without_boilerplate(text) == text


@pytest.mark.parametrize(
    "line",
    [
        "Home | Products | Pricing | Contact",
        "Home > Docs > Support",
        "\u00a9 2024 Acme, all rights reserved.",
        "We use cookies to improve this site.",
    ],
)
def test_menus_and_notices_go(line: str) -> None:
    assert without_boilerplate(f"Before.\n{line}\nAfter.") == "Before.\nAfter."


def test_a_menu_of_one_entry_a_line_goes() -> None:
    assert without_boilerplate("Home\nProducts\nLog in\nThe text begins.") == "The text begins."


@pytest.mark.parametrize(
    "text",
    [
        "Features\nIt flies.",
        "Tomatoes\nOnions\nBasil\nSalt",
        "We use cookies for 13 months.",
        "Subscribe to our newsletter and get 10 % off.",
        "Berlin | Paris | Rome",
        "Home | 030 1234 | Contact",
        "Tell users that this website uses cookies for login only.",
        'End with "All rights reserved." each time.',
        'The page says "Hello. We use cookies. Bye." and no more.',
        "Pair<A, B> p; List<A> a; List<B> b; Map<A, B> m; Set<A> s; Set<B> t; a < b;",
    ],
)
def test_what_may_be_asked_for_stays(text: str) -> None:
    assert without_boilerplate(text) == text


def test_of_a_licence_the_first_line_stays() -> None:
    text = (
        "# Copyright 2024 Acme\n# Licensed under the Apache License, Version 2.0\n# you may not"
        "\n\nThe config has two parts."
    )
    assert without_boilerplate(text) == "# Copyright 2024 Acme [...]\n\nThe config has two parts."
