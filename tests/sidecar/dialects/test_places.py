"""Texts come to their places, and all else is shared."""

from penstock_sidecar.dialects.places import with_texts_at


def test_texts_come_to_their_places() -> None:
    document = {"a": [{"b": "x"}, {"b": "y"}], "c": "z"}
    found = with_texts_at(document, [(("a", 1, "b"), "new"), (("c",), "other")])
    assert found == {"a": [{"b": "x"}, {"b": "new"}], "c": "other"}
    assert document == {"a": [{"b": "x"}, {"b": "y"}], "c": "z"}


def test_what_does_not_change_is_shared() -> None:
    document = {"a": [{"b": "x"}], "c": {"d": "z"}}
    found = with_texts_at(document, [(("a", 0, "b"), "new")])
    assert found["c"] is document["c"]


def test_a_place_that_is_not_there_is_left_out() -> None:
    assert with_texts_at({"a": "x"}, [(("a", 0), "new")]) == {"a": "x"}
