"""Secrets that the files refer to but do not hold: from the environment, or taken for granted."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from penstock_operator.api.llm_provider import LLMProvider, LLMProviderSpec
from penstock_operator.api.reference import SecretKeyReference
from penstock_operator.compile.snapshot import SecretData, Snapshot

Holds = Literal["key", "login", "certificates"]
NOBODY: Final = """\
-----BEGIN CERTIFICATE-----
MIIBEzCBuaADAgECAgEBMAoGCCqGSM49BAMCMBMxETAPBgNVBAMMCG5vdCByZWFk
MB4XDTI2MDEwMTAwMDAwMFoXDTI2MDEwMjAwMDAwMFowEzERMA8GA1UEAwwIbm90
IHJlYWQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATcKXos6yDTaO7vcAJfW5p9
qRhakcL1O/lVkbqPr78EvLzEVHzA/+FpH8/Ga9lNRlNl3TCiVKaE30f2n+RuI8vh
MAoGCCqGSM49BAMCA0kAMEYCIQCzKxMktNmRPAm+Hh3G0NfJtk03L4FCoRdUUoSW
og14aQIhANMi2g8c2WtTBSyTp+x5CQukLX69Qa7+J0ZMxeGmfUDN
-----END CERTIFICATE-----
"""
"""A certificate whose key was thrown away: in place of those that are not read."""


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One key of a Secret, and the provider that wants it."""

    provider: str
    """Its name, in the same namespace."""
    namespace: str
    name: str
    key: str
    holds: Holds = "key"

    @property
    def variable(self) -> str:
        """`PENSTOCK_SECRET_<NAME>_<KEY>`, upper case, what is no letter or digit as `_`."""
        return "PENSTOCK_SECRET_" + re.sub(r"[^A-Z0-9]", "_", f"{self.name}_{self.key}".upper())


SecretSource = Callable[[SecretKey], bytes | None]


def from_environment(environment: Mapping[str, str]) -> SecretSource:
    """A source that knows what `SecretKey.variable` says; an empty variable is none."""

    def find(wanted: SecretKey) -> bytes | None:
        return environment.get(wanted.variable, "").encode() or None

    return find


def taken_for_granted(wanted: SecretKey) -> bytes:
    """A source that has everything: for commands that never send a request."""
    match wanted.holds:
        case "key":
            return b"not-read"
        case "login":
            return b"not:read"
        case "certificates":
            return NOBODY.encode()


def absent_secrets(snapshot: Snapshot) -> tuple[SecretKey, ...]:
    """What providers refer to and the files lack; a Secret that is there is judged as it is."""
    wanted = (key for provider in snapshot.providers for key in _wanted_by(provider))
    return tuple(k for k in wanted if (k.namespace, k.name) not in snapshot.secrets)


def with_secrets(snapshot: Snapshot, source: SecretSource) -> Snapshot:
    """The snapshot with every absent secret that `source` can give."""
    given: dict[tuple[str, str], dict[str, bytes]] = {}
    for wanted in absent_secrets(snapshot):
        if (value := source(wanted)) is not None:
            given.setdefault((wanted.namespace, wanted.name), {})[wanted.key] = value
    found = {name: SecretData(values) for name, values in given.items()}
    return replace(snapshot, secrets={**snapshot.secrets, **found})


def _wanted_by(provider: LLMProvider) -> Iterator[SecretKey]:
    meta = provider.metadata
    for ref, holds in _references(provider.spec):
        yield SecretKey(meta.name, meta.namespace, ref.name, ref.key, holds)


def _references(spec: LLMProviderSpec) -> Iterator[tuple[SecretKeyReference, Holds]]:
    credentials = spec.credentials
    for ref in credentials.secret_refs if credentials else ():
        yield ref, "key"
    if credentials and credentials.entra and credentials.entra.client_secret_ref:
        yield credentials.entra.client_secret_ref, "key"
    if spec.proxy_secret_ref:
        yield spec.proxy_secret_ref, "login"
    if spec.tls:
        yield spec.tls.ca_secret_ref, "certificates"
