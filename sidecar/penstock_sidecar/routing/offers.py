"""What may be asked for, by every name: what those who serve it can do."""

from collections.abc import Sequence
from dataclasses import dataclass

from penstock_config.provider import Capability
from penstock_sidecar.model import Candidate


@dataclass(frozen=True, slots=True)
class Offer:
    """A model, a tier or `auto`. A request goes to a candidate that can do what it needs, so
    together they can do what any of them can."""

    name: str
    owner: str
    capabilities: frozenset[Capability]
    context_window: int | None
    """The largest known."""


def offer_of(name: str, owner: str, candidates: Sequence[Candidate]) -> Offer:
    models = [candidate.model for candidate in candidates]
    windows = [model.context_window for model in models if model.context_window is not None]
    capabilities = frozenset(each for model in models for each in model.capabilities)
    return Offer(name, owner, capabilities, max(windows, default=None))
