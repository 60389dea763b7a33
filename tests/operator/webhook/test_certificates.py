"""Our CA and its leaves, as a TLS client sees them."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.verification import PolicyBuilder, Store

from penstock_operator.webhook.certificates import (
    LEAF_LIFE,
    Pair,
    authorities_in,
    make_ca,
    make_leaf,
    read_authority,
    read_pair,
    service_hosts,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def ca() -> Pair:
    return make_ca(NOW)


def test_a_leaf_is_valid_for_its_service_by_every_rule_of_the_web(ca: Pair) -> None:
    host = service_hosts("penstock-webhook", "penstock-system")[0]
    leaf = x509.load_pem_x509_certificate(make_leaf(ca, (host,), NOW).certificate)
    store = Store([x509.load_pem_x509_certificate(ca.certificate)])
    verifier = PolicyBuilder().store(store).time(NOW).build_server_verifier(x509.DNSName(host))
    assert len(verifier.verify(leaf, [])) == 2


def test_addresses_and_names_are_told_apart(ca: Pair) -> None:
    leaf = x509.load_pem_x509_certificate(make_leaf(ca, ("127.0.0.1", "a.svc"), NOW).certificate)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert names.get_values_for_type(x509.DNSName) == ["a.svc"]


def test_a_leaf_is_old_after_half_its_life(ca: Pair) -> None:
    leaf = make_leaf(ca, ("a.svc",), NOW)
    assert not leaf.is_old(NOW + LEAF_LIFE / 2 - timedelta(minutes=1))
    assert leaf.is_old(NOW + LEAF_LIFE / 2 + timedelta(minutes=1))


def test_clocks_that_are_behind_accept_a_new_leaf(ca: Pair) -> None:
    leaf = x509.load_pem_x509_certificate(make_leaf(ca, ("a.svc",), NOW).certificate)
    assert leaf.not_valid_before_utc < NOW


def test_keys_are_not_printed(ca: Pair) -> None:
    assert "PRIVATE" not in repr(ca)


def test_a_key_of_another_kind_is_refused(ca: Pair) -> None:
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(TypeError, match="elliptic curve"):
        make_leaf(Pair(ca.certificate, ca.made, ca.expires, other), ("a.svc",), NOW)


def test_the_python_tls_library_takes_the_ca(ca: Pair) -> None:
    context = ssl.create_default_context(cadata=ca.certificate.decode())
    assert context.cert_store_stats()["x509_ca"] == 1


def test_a_pair_is_read_as_it_was_made(ca: Pair) -> None:
    assert read_authority(ca.certificate, ca.key) == ca
    leaf = make_leaf(ca, ("a.svc",), NOW)
    assert read_pair(leaf.certificate, leaf.key) == leaf


@pytest.mark.parametrize("spoiled", [b"", b"no PEM"], ids=["empty", "text"])
def test_what_is_no_certificate_or_no_key_is_not_read(ca: Pair, spoiled: bytes) -> None:
    assert read_authority(spoiled, ca.key) is None
    assert read_authority(ca.certificate, spoiled) is None


def test_a_certificate_with_the_key_of_another_is_not_read(ca: Pair) -> None:
    assert read_authority(ca.certificate, make_ca(NOW).key) is None


def test_a_leaf_does_not_outlive_its_ca(ca: Pair) -> None:
    late = ca.expires - timedelta(hours=1)
    assert make_leaf(ca, ("a.svc",), late).expires == ca.expires


def test_of_a_bundle_only_our_own_authorities_are_known(ca: Pair) -> None:
    other = make_leaf(ca, ("a.svc",), NOW)
    found = authorities_in(other.certificate + b"# a remark\n" + ca.certificate)
    assert [each.certificate for each in found] == [ca.certificate]


@pytest.mark.parametrize("bundle", [b"", b"no PEM"])
def test_a_bundle_that_cannot_be_read_holds_nobody(bundle: bytes) -> None:
    assert authorities_in(bundle) == ()
