"""A CA of our own, and leaf certificates that live in memory alone.

The CA is in a Secret that all replicas share; each signs its own leaf, so that no certificate must
be handed around, and the webhook configuration names the CA.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_LIFE: Final = timedelta(days=3650)
LEAF_LIFE: Final = timedelta(days=7)
SKEW: Final = timedelta(minutes=5)
"""Clocks of other machines may be behind."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, PEM."""

    certificate: bytes
    key: bytes = field(repr=False)

    @property
    def expires(self) -> datetime:
        return x509.load_pem_x509_certificate(self.certificate).not_valid_after_utc

    def is_old(self, now: datetime) -> bool:
        """Whether less than half of a leaf's life is left."""
        return self.expires - now < LEAF_LIFE / 2

    def signs(self, now: datetime) -> bool:
        """Whether leaves can be signed with it, and outlive no part of it."""
        try:
            key = serialization.load_pem_private_key(self.key, password=None)
            certificate = x509.load_pem_x509_certificate(self.certificate)
        except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: the key has a password
            return False
        is_ours = isinstance(key, ec.EllipticCurvePrivateKey)
        return (
            is_ours
            and key.public_key() == certificate.public_key()
            and certificate.not_valid_after_utc - now > LEAF_LIFE
        )


def make_ca(now: datetime) -> Pair:
    """A new self-signed CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("penstock webhook CA")
    builder = (
        _builder(name, name, key.public_key(), now, CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return _pair(builder, key, key)


def make_leaf(ca: Pair, hosts: Sequence[str], now: datetime) -> Pair:
    """A server certificate for DNS names and IP addresses, signed by the CA."""
    ca_certificate = x509.load_pem_x509_certificate(ca.certificate)
    ca_key = serialization.load_pem_private_key(ca.key, password=None)
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        msg = "the CA's key is not an elliptic curve's"
        raise TypeError(msg)
    key = ec.generate_private_key(ec.SECP256R1())
    # Common names are bounded to 64 characters; nobody reads this one.
    builder = (
        _builder(
            _name("penstock webhook"), ca_certificate.subject, key.public_key(), now, LEAF_LIFE
        )
        .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
    )
    return _pair(builder, key, ca_key)


def service_hosts(service: str, namespace: str) -> tuple[str, ...]:
    """The names by which the API server may call a Service."""
    return (f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.cluster.local")


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _pair(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    signer: CertificateIssuerPrivateKeyTypes,
) -> Pair:
    certificate = builder.sign(signer, hashes.SHA256())
    return Pair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
