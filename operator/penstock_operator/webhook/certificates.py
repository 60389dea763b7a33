"""X.509: a CA of our own, leaves signed by it, and what is read back of both.

Which CA signs when, and which is trusted, is decided in `authority`.
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
AUTHORITY_NAME: Final = "penstock webhook CA"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate, PEM."""

    certificate: bytes
    made: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Pair(Certificate):
    """A certificate and its key, PEM."""

    key: bytes = field(repr=False)

    def is_old(self, now: datetime) -> bool:
        """Whether less than half of its life is left."""
        return self.expires - now < (self.expires - self.made) / 2


def make_ca(now: datetime, life: timedelta = CA_LIFE) -> Pair:
    """A new self-signed CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(AUTHORITY_NAME)
    builder = (
        _builder(name, name, key.public_key(), now, now + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return _pair(builder, key, key)


def make_leaf(ca: Pair, hosts: Sequence[str], now: datetime, life: timedelta = LEAF_LIFE) -> Pair:
    """A server certificate for DNS names and IP addresses; it does not outlive the CA."""
    ca_certificate = x509.load_pem_x509_certificate(ca.certificate)
    ca_key = serialization.load_pem_private_key(ca.key, password=None)
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        msg = "the CA's key is not an elliptic curve's"
        raise TypeError(msg)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name("penstock webhook")  # bounded to 64 characters; nobody reads this one
    expires = min(now + life, ca.expires)
    builder = (
        _builder(subject, ca_certificate.subject, key.public_key(), now, expires)
        .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
    )
    return _pair(builder, key, ca_key)


def read_pair(certificate: bytes, key: bytes) -> Pair | None:
    """`None` where one cannot be read, or they do not belong together."""
    try:
        found = x509.load_pem_x509_certificate(certificate)
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: the key has a password
        return None
    if found.public_key() != private.public_key():
        return None
    text = found.public_bytes(serialization.Encoding.PEM)  # as `authorities_in` gives it
    return Pair(text, *_times(found), key)


def read_authority(certificate: bytes, key: bytes) -> Pair | None:
    """As `read_pair`, of a CA such as `make_ca` makes."""
    pair = read_pair(certificate, key)
    if pair is None:
        return None
    private = serialization.load_pem_private_key(key, password=None)
    return pair if isinstance(private, ec.EllipticCurvePrivateKey) else None


def authorities_in(bundle: bytes) -> tuple[Certificate, ...]:
    """Our own CAs in a bundle; of one that cannot be read, none."""
    try:
        found = x509.load_pem_x509_certificates(bundle)
    except ValueError:
        return ()
    ours = _name(AUTHORITY_NAME)
    return tuple(
        Certificate(each.public_bytes(serialization.Encoding.PEM), *_times(each))
        for each in found
        if each.subject == ours
    )


def service_hosts(service: str, namespace: str) -> tuple[str, ...]:
    """The names by which the API server may call a Service."""
    return (f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.cluster.local")


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    expires: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(expires)
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
        *_times(certificate),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def _times(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    """When we made it, and when it expires."""
    return certificate.not_valid_before_utc + SKEW, certificate.not_valid_after_utc


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
