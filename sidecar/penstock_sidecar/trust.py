"""Whom the sidecar's TLS connections trust: the machine's authorities, or given ones alone."""

import re
import ssl
from typing import Final

_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----")


class BadAuthorities(ValueError):
    """What was given holds no certificate that can be read."""


def client_context(ca_pem: str | None = None) -> ssl.SSLContext:
    """For connections to others: `ca_pem` takes the place of the machine's own authorities.
    Raises `BadAuthorities`.

    Takes back what Python 3.13 added to its default: private authorities, made years ago, lack an
    extension that RFC 5280 asks for. Name, time and signature are checked as before.
    """
    if ca_pem is not None and not _CERTIFICATE.search(ca_pem):  # to `ssl`, no text is no wish
        raise BadAuthorities
    try:
        context = ssl.create_default_context(cadata=ca_pem)
    except (ssl.SSLError, ValueError):
        raise BadAuthorities from None
    return forgiving(context)


def forgiving(context: ssl.SSLContext) -> ssl.SSLContext:
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
