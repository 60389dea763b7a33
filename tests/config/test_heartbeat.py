"""A heartbeat as it is written, and as it is read by whoever does not trust the writer."""

import json

import pytest

from penstock_config.heartbeat import (
    MAX_BYTES,
    MAX_ERROR_CHARACTERS,
    Heartbeat,
    decode_heartbeat,
    encode_heartbeat,
)
from penstock_config.layout import Group

BEAT = Heartbeat(
    config="a" * 16,
    credentials="b" * 16,
    version="0.1.0",
    schema_version=1,
    policy="shop/app",
    at=1.5,
)


def test_what_is_written_is_read_again() -> None:
    assert decode_heartbeat(encode_heartbeat(BEAT)) == BEAT


def test_its_fields_are_those_that_the_design_names() -> None:
    fields = {"config", "credentials", "version", "schema", "error", "policy", "at"}
    assert json.loads(encode_heartbeat(BEAT)).keys() == fields


def test_a_field_of_a_later_version_is_skipped() -> None:
    later = {**json.loads(encode_heartbeat(BEAT)), "mood": "good"}
    assert decode_heartbeat(json.dumps(later).encode()) == BEAT


def test_a_long_error_is_cut_and_can_be_read() -> None:
    told = encode_heartbeat(BEAT.model_copy(update={"error": "\x00ä" * 100_000}))
    assert len(told) <= MAX_BYTES
    read = decode_heartbeat(told)
    assert read is not None
    assert len(read.error) == MAX_ERROR_CHARACTERS
    assert read.error.endswith("…")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * MAX_BYTES,
        json.dumps({**json.loads(encode_heartbeat(BEAT)), "error": "x" * 700}).encode(),
        json.dumps({**json.loads(encode_heartbeat(BEAT)), "pad": "x" * MAX_BYTES}).encode(),
        json.dumps({**json.loads(encode_heartbeat(BEAT)), "at": "NaN"}).encode(),
    ],
    ids=["empty", "no-fields", "list", "bytes", "nested", "long-error", "long", "no-time"],
)
def test_anything_else_is_no_heartbeat(data: bytes) -> None:
    assert decode_heartbeat(data) is None


def test_it_lies_with_its_namespaces_own_keys() -> None:
    assert Group.of_namespace("prod", "shop").pod("uid-1") == "{prod:n:shop}:pod:uid-1"
