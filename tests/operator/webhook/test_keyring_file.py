"""The keyring in the Secret: written, read back, and spoiled."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from penstock_operator.webhook.authority import Keyring, Retired
from penstock_operator.webhook.certificates import Certificate, Pair, make_ca, make_leaf
from penstock_operator.webhook.keyring_file import dump, load

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def bare(pair: Pair) -> Certificate:
    return Certificate(pair.certificate, pair.made, pair.expires)


@pytest.fixture(scope="module")
def ring() -> Keyring:
    retired = Retired(bare(make_ca(NOW)), NOW + timedelta(days=14))
    return Keyring(make_ca(NOW), make_ca(NOW), (retired,))


def test_what_is_written_is_read_back(ring: Keyring) -> None:
    assert load(dump(ring)) == ring
    assert load(dump(Keyring(ring.signer))) == Keyring(ring.signer)


def test_of_a_retired_ca_no_key_is_kept(ring: Keyring) -> None:
    (entry,) = json.loads(dump(ring)["retired.json"])
    assert entry.keys() == {"certificate", "until"}


@pytest.mark.parametrize("key", ["ca.crt", "ca.key"])
@pytest.mark.parametrize("spoiled", [None, b"", b"no PEM"])
def test_without_a_signer_there_is_no_keyring(
    ring: Keyring, key: str, spoiled: bytes | None
) -> None:
    data = dump(ring)
    del data[key]
    assert load(data if spoiled is None else data | {key: spoiled}) is None


def test_the_key_of_another_ca_signs_nothing(ring: Keyring) -> None:
    assert load(dump(ring) | {"ca.key": make_ca(NOW).key}) is None


@pytest.mark.parametrize("key", ["next.crt", "next.key"])
def test_a_successor_that_cannot_be_read_is_left_out(ring: Keyring, key: str) -> None:
    found = load(dump(ring) | {key: b"no PEM"})
    assert found == Keyring(ring.signer, None, ring.retired)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        "1",
        "[1]",
        "[{}]",
        '[{"certificate": 1, "until": "2026-01-01T00:00:00+00:00"}]',
        '[{"certificate": "no PEM", "until": "2026-01-01T00:00:00+00:00"}]',
        "[" * 99_999,
    ],
)
def test_retired_ones_that_cannot_be_read_are_left_out(ring: Keyring, text: str) -> None:
    found = load(dump(ring) | {"retired.json": text.encode()})
    assert found == Keyring(ring.signer, ring.successor)


@pytest.mark.parametrize("until", ["soon", "2026-01-01T00:00:00", 1])
def test_a_retired_one_without_its_time_is_left_out(ring: Keyring, until: object) -> None:
    entry = {"certificate": ring.retired[0].authority.certificate.decode(), "until": until}
    found = load(dump(ring) | {"retired.json": json.dumps([entry]).encode()})
    assert found == Keyring(ring.signer, ring.successor)


def test_a_certificate_of_others_is_not_trusted_by_way_of_the_secret(ring: Keyring) -> None:
    leaf = make_leaf(ring.signer, ("a.svc",), NOW)
    entry = {"certificate": leaf.certificate.decode(), "until": "2027-01-01T00:00:00+00:00"}
    found = load(dump(ring) | {"retired.json": json.dumps([entry]).encode()})
    assert found == Keyring(ring.signer, ring.successor)
