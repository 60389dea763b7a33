"""Secrets that the files refer to but do not hold: from the environment, or taken for granted."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.compile.snapshot import SecretData, Snapshot


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One key of a Secret, and the provider that wants it."""

    provider: str
    """Its name, in the same namespace."""
    namespace: str
    name: str
    key: str

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


def taken_for_granted(_: SecretKey) -> bytes:
    """A source that has everything: for commands that never send a request."""
    return b"not-read"


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
    credentials = provider.spec.credentials
    for ref in credentials.secret_refs if credentials else ():
        yield SecretKey(provider.metadata.name, provider.metadata.namespace, ref.name, ref.key)
