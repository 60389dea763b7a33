"""Which models on disk nobody has ordered any more. Pure but for what it remembers."""

from collections.abc import Iterable, Mapping

from penstock_operator.loader.naming import canonical
from penstock_operator.loader.recipe import base_of
from penstock_operator.ollama.models_file import ModelOrder

FULL = "no space left on device"
"""Of a failure that makes garbage go at once."""


def needed(orders: Mapping[str, ModelOrder]) -> frozenset[str]:
    """What is ordered, and what that is made from."""
    bases = (base_of(order) for order in orders.values())
    return frozenset(orders) | {canonical(base) for base in bases if base is not None}


class Garbage:
    """Something is garbage when it was so for `after_seconds`: a replica that shares the volume
    may have been told of an order before this one was."""

    def __init__(self, after_seconds: float) -> None:
        self._after_seconds = after_seconds
        self._since: dict[str, float] = {}

    def due(
        self, installed: Iterable[str], orders: Mapping[str, ModelOrder], now: float
    ) -> tuple[str, ...]:
        """Sorted. Nothing at all where nothing is ordered: that is a mistake, or a beginning."""
        unneeded = set(installed) - needed(orders) if orders else set()
        self._since = {name: self._since.get(name, now) for name in unneeded}
        return tuple(
            sorted(n for n, since in self._since.items() if now - since >= self._after_seconds)
        )

    def hurry(self) -> None:
        """What is known to be garbage is due from now on."""
        self._since = dict.fromkeys(self._since, float("-inf"))
