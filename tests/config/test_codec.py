"""Bytes to configurations and back: the same for the same, and an error without a value."""

import json
import os
import subprocess
import sys
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_config.codec import (
    ConfigError,
    decode_config,
    decode_credentials,
    digest,
    encode,
)
from penstock_config.credentials import Credentials
from penstock_config.policy import Policy, Selector
from penstock_config.provider import Provider
from penstock_config.schema import SidecarConfig
from tests.config.strategies import CANARY, CREDENTIALS, JSON_VALUES
from tests.operator.compile.steady import steady

CONFIG = SidecarConfig(
    cluster="c",
    namespace="n",
    providers=(
        Provider(
            id="n/p",
            type="openai",
            base_url="https://p.example.com",
            needs_key=True,
            headers={"b": "ü", "a": "1"},
            models=(),
        ),
    ),
    policies=(Policy(id="n/r", selector=Selector(match_labels={"z": "1", "a": "2"}), tiers=()),),
)
IN_ANOTHER_PROCESS = """
import sys
from penstock_config.codec import decode_config, encode
sys.stdout.buffer.write(encode(decode_config(sys.stdin.buffer.read())))
"""


def without_order(document: object) -> object:
    """The same document with every object's fields the other way round."""
    if isinstance(document, dict):
        return {key: without_order(document[key]) for key in reversed(document)}
    return [without_order(each) for each in document] if isinstance(document, list) else document


def printed(data: bytes) -> str:
    """What a log would hold of the error, if there is one: with every cause."""
    try:
        decode_credentials(data)
    except ConfigError as error:
        return "".join(traceback.format_exception(error))
    return ""


@steady
@given(CREDENTIALS)
def test_credentials_come_back_as_they_went(credentials: Credentials) -> None:
    assert decode_credentials(encode(credentials)) == credentials


def test_the_order_of_fields_changes_no_byte() -> None:
    data = encode(CONFIG)
    other = json.dumps(without_order(json.loads(data))).encode()
    assert other != data
    assert encode(decode_config(other)) == data


@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_another_process_writes_the_same_bytes(seed: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS],
        input=encode(CONFIG),
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    assert found.stdout == encode(CONFIG)


def test_a_known_configuration_has_known_bytes() -> None:
    """What breaks this writes every namespace anew, and is not read by the version before."""
    assert encode(SidecarConfig(cluster="c", namespace="n")) == (
        b'{"cluster":"c","namespace":"n","schema_version":2}'
    )
    assert digest(b"") == "e3b0c44298fc1c14"


@steady
@given(CREDENTIALS)
def test_secrets_are_not_printed(credentials: Credentials) -> None:
    assert CANARY not in repr(credentials)
    assert CANARY not in str(credentials)
    assert CANARY not in str(credentials.model_dump())
    assert CANARY not in credentials.model_dump_json()


@steady
@given(CREDENTIALS, st.data())
def test_what_was_cut_off_is_an_error_without_a_value(
    credentials: Credentials, data: st.DataObject
) -> None:
    whole = encode(credentials)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(ConfigError) as raised:
        decode_credentials(cut)
    assert CANARY not in str(raised.value)


@steady
@given(CREDENTIALS, JSON_VALUES, st.data())
def test_what_was_spoiled_is_an_error_without_a_value(
    credentials: Credentials, spoil: object, data: st.DataObject
) -> None:
    document = json.loads(encode(credentials))
    document[data.draw(st.sampled_from([*document, CANARY, "redis", "provider_keys"]))] = spoil
    shown = printed(json.dumps(document).encode())
    assert CANARY not in shown
    assert len(shown) < 5000


@steady
@given(JSON_VALUES)
def test_an_error_of_the_type_itself_has_no_value(spoil: object) -> None:
    with pytest.raises(ValueError, match="validation error") as raised:
        Credentials.model_validate({"redis": [spoil, CANARY], "scope_key": {CANARY: spoil}})
    assert CANARY not in str(raised.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"schema_version":' + b"9" * 5000 + b"}",
        b'{"schema_version":2,"cluster":"c","cluster":"d","namespace":"n"}',
        b'{"schema_version":2,"cluster":"c","namespace":NaN}',
    ],
)
def test_what_is_no_configuration_is_an_error(data: bytes) -> None:
    with pytest.raises(ConfigError) as raised:
        decode_config(data)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_time_without_end_is_refused(number: str) -> None:
    text = encode(CONFIG).decode().replace('"needs_key":true', '"needs_key":true,"timeouts":{}')
    data = text.replace('"timeouts":{}', f'"timeouts":{{"idle_seconds":{number}}}').encode()
    with pytest.raises(ConfigError, match=r"^providers\.0\.timeouts\.idle_seconds: "):
        decode_config(data)


@pytest.mark.parametrize("version", ["1", "0", "true", "1.0", '"1"', "null", f'"{CANARY}"'])
def test_another_version_is_an_error_that_says_who_must_act(version: str) -> None:
    with pytest.raises(ConfigError, match="upgrade the older side") as raised:
        decode_credentials(f'{{"schema_version":{version},"scope_key":"x"}}'.encode())
    assert CANARY not in str(raised.value)


def test_a_place_is_named_by_our_own_names_alone() -> None:
    document = {"schema_version": 2, "provider_keys": {CANARY: ["x"]}, CANARY: 1}
    with pytest.raises(ConfigError) as raised:
        decode_credentials(json.dumps(document).encode())
    text = str(raised.value)
    assert "provider_keys.*" in text
    assert "scope_key: Field required" in text
    assert "*: Extra inputs are not permitted" in text
