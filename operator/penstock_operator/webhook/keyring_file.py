"""The keyring as the data of a Secret, and back. Pure.

`ca.crt` and `ca.key` are the signer, `next.crt` and `next.key` its successor, `retired.json` the
certificates that are trusted a while longer, each with its time.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from penstock_operator.webhook.authority import Keyring, Retired
from penstock_operator.webhook.certificates import authorities_in, read_authority

SIGNER: Final = ("ca.crt", "ca.key")
SUCCESSOR: Final = ("next.crt", "next.key")
RETIRED: Final = "retired.json"


def dump(ring: Keyring) -> dict[str, bytes]:
    """What `load` reads."""
    data = dict(zip(SIGNER, (ring.signer.certificate, ring.signer.key), strict=True))
    if ring.successor:
        successor = (ring.successor.certificate, ring.successor.key)
        data |= zip(SUCCESSOR, successor, strict=True)
    if ring.retired:
        entries = [
            {"certificate": each.authority.certificate.decode(), "until": each.until.isoformat()}
            for each in ring.retired
        ]
        data[RETIRED] = json.dumps(entries).encode()
    return data


def load(data: Mapping[str, bytes]) -> Keyring | None:
    """`None` where nothing can sign. What else cannot be read is left out: it is made anew."""
    signer, successor = (
        read_authority(data.get(certificate, b""), data.get(key, b""))
        for certificate, key in (SIGNER, SUCCESSOR)
    )
    if signer is None:
        return None
    return Keyring(signer, successor, _retired(data.get(RETIRED, b"[]")))


def _retired(data: bytes) -> tuple[Retired, ...]:
    try:
        entries = json.loads(data)
    except (ValueError, RecursionError):
        return ()
    found = (_entry(each) for each in (entries if isinstance(entries, list) else ()))
    return tuple(each for each in found if each)


def _entry(each: Any) -> Retired | None:
    try:
        (authority,) = authorities_in(each["certificate"].encode())
        until = datetime.fromisoformat(each["until"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return Retired(authority, until) if until.tzinfo else None
