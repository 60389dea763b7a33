"""What the planes agree upon of breakers."""

import pytest

from penstock_config.breaker import (
    ENDPOINTS,
    PROVIDER,
    Record,
    Standing,
    Telling,
    Word,
    breaker_field,
    decode_standing,
    encode_telling,
    fields_of,
)


def test_a_providers_fields_are_its_models_endpoints_and_its_own() -> None:
    assert fields_of(["org/m"]) == {PROVIDER, *(f"{each}/org/m" for each in ENDPOINTS)}
    assert breaker_field("chat", "org/m").partition("/") == ("chat", "/", "org/m")


def test_what_is_not_said_is_not_sent() -> None:
    """The script takes a null for something."""
    text = encode_telling(Telling(by="a", words=(Word(field="*", threshold=3, cooldown=1),)))
    assert b"null" not in text
    assert Telling.model_validate_json(text).words[0] == Word(field="*", threshold=3, cooldown=1)


def test_fields_of_later_versions_are_skipped() -> None:
    reply = b'{"now": 5, "later": 1, "records": {"chat/m": {"until_ms": 7, "later": []}}}'
    found = decode_standing(reply)
    assert found == Standing(now=5, records={"chat/m": Record(until_ms=7)})


@pytest.mark.parametrize("reply", [None, 7, b"", b"[]", b'{"records": {}}', b"x" * 2_000_000])
def test_what_is_no_standing_is_none(reply: object) -> None:
    assert decode_standing(reply) is None


def test_a_reply_without_records_is_one() -> None:
    assert decode_standing(b'{"now": 5}') == Standing(now=5)


def test_what_nobody_asked_for_is_left_out() -> None:
    standing = Standing(now=5, records={"chat/m": Record(), "chat/x": Record()})
    assert standing.only(fields_of(["m"])).records == {"chat/m": Record()}
