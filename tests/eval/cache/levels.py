"""The sidecar's own code, as this evaluation asks it: names of requests, and the guard."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from penstock_config.cache import Cache, ExactCache, NormalisedCache, SemanticCache
from penstock_sidecar.cache.semantic.guard.refusal import refusal
from tests.sidecar.cache.builders import AbsentStore, cache, question, request

SHIPPED: Final = SemanticCache()
THRESHOLDS: Final = (0.90, 0.93, 0.95, 0.97)

Refuses = Callable[[str, str], bool]
"""Of what is asked and what was answered: the answer must not be given."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a request's answer lies under."""

    exact: str
    shared: str
    """The same for requests that differ in spelling alone."""


class Names:
    """As a sidecar gives them whose policy has the first two levels on."""

    def __init__(self) -> None:
        self._cache = cache(AbsentStore(), Cache(exact=ExactCache(), normalised=NormalisedCache()))

    def of(self, text: str) -> Name:
        """Of a request whose one turn says this."""
        asked = request({"messages": [{"role": "user", "content": text}]})
        found = question(self._cache, asked)
        return Name(found.exact, found.name)


def guarded(asked: str, kept: str) -> bool:
    """What the shipped guard says."""
    return refusal(asked, kept) is not None


def unguarded(_asked: str, _kept: str) -> bool:
    """What a policy without the guard says."""
    return False
