"""Why a candidate does not serve, or is asked only when the others have failed."""

from typing import Final, Literal, get_args

from penstock_sidecar.model import Candidate
from penstock_sidecar.values import dataclass

Reason = Literal[
    "capability",
    "modality",
    "context_window",
    "personal_data",
    "unready",
    "cold",
    "cooling",
    "headroom",
    "budget",
    "cost",
    "latency",
    "quality",
]
"""For metrics; in the order of the filters. Suspended models are in no configuration."""
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Drop:
    """A candidate that cannot serve, by its label."""

    candidate: str
    reason: str
    """For people."""
    kind: Reason
    last: bool = False
    """It can, but is asked after the others."""


@dataclass(frozen=True, slots=True)
class Sieved:
    """What passed the filters, in the order given, and what did not."""

    kept: tuple[Candidate, ...]
    drops: tuple[Drop, ...]
