"""A certificate authority of the test's own, and one server's certificate."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM form; `ca_pem` is what a client must trust."""

    ca_pem: str
    ca: Path
    certificate: Path
    key: Path


def certificates(directory: Path) -> Certificates:
    """For `localhost` and 127.0.0.1, valid for a day. Each call is another authority."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name, name = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("test CA", "redis")
    )
    ca = _signed(_blank(ca_name, ca_name, ca_key).add_extension(_AUTHORITY, critical=True), ca_key)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    leaf = _signed(_blank(name, ca_name, key).add_extension(names, critical=False), ca_key)
    files = Certificates(
        ca.decode(), directory / "ca.pem", directory / "redis.pem", directory / "redis.key"
    )
    files.ca.write_bytes(ca)
    files.certificate.write_bytes(leaf)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


_AUTHORITY = x509.BasicConstraints(ca=True, path_length=0)


def _blank(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _signed(blank: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    return blank.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
