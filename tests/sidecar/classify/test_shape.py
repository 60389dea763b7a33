"""What a text looks like."""

import pytest

from penstock_sidecar.classify.shape import prose_of, shape_of


def shape(text: str) -> dict[str, float]:
    return {name: value for name, value in shape_of(text, prose_of(text), prose_of(text)) if value}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("code:fence", "Mend this:\n```\nx\n```"),
        ("code:lines", "def area(r):\n    return r * r"),
        ("code:lines", "public class A {\n}"),
        ("code:trace", "Traceback (most recent call last):\n  File ..."),
        ("code:trace", "    at com.shop.Cart.add(Cart.java:17)"),
        ("code:files", "it happens in src/cart.ts only"),
        ("code:names", "what is wrong with total_price()"),
        ("code:symbols", "if (a[0] == b) { return {}; }"),
        ("formulas", "solve x^2 + 3x = 4"),
        ("formulas", r"\int_0^1 f(x) dx"),
        ("formulas", "∀ε>0 ∃δ>0"),
        ("items", "We need\n- speed\n- a cache\n2. tests"),
        ("numbers", "from 3 to 17"),
        ("question", "why?"),
        ("question", "为什么?"),
        ("question", "لماذا؟"),
        ("questions:many", "Who? And when?"),
        ("sentences", "One. Two. "),
        ("sentences", "一。二。"),
        ("clauses", "one, two; three"),
        ("clauses", "一,二、三"),
        ("long:asked", "an essay of 1500 words"),
        ("quoted", "what does «oui» mean"),
    ],
)
def test_each_shape_is_seen(name: str, text: str) -> None:
    assert shape(text).get(name, 0) > 0
    assert name not in shape("good day to you all")


def test_what_code_holds_is_no_prose() -> None:
    text = "Mend it\n```\nif x == 1: # why? 1 2 3\n```\nplease"
    assert prose_of(text) == "Mend it\n\n\nplease"
    assert shape(text).keys().isdisjoint({"question", "numbers", "formulas"})


def test_more_of_a_thing_weighs_more_up_to_a_bound() -> None:
    values = [shape("- item\n" * count)["items"] for count in (1, 3, 8, 500)]
    assert values == sorted(values)
    assert values[-2:] == [2.0, 2.0]


def test_a_fence_that_is_not_closed_reaches_to_the_end() -> None:
    assert prose_of("Mend it\n```\nx = 1") == "Mend it\n"
