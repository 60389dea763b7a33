"""What all requests of a policy are answered with. Built once per configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from penstock_sidecar.attempts.hedging import Hedging
from penstock_sidecar.attempts.ration import Ration
from penstock_sidecar.clock import Clock
from penstock_sidecar.routing.router import Router
from penstock_sidecar.upstream.base import Upstream

RETRY_PERCENT: Final = 10
SAVED_RETRIES: Final = 100
FLOOR_RETRIES: Final = 5
FLOOR_SECONDS: Final = 6.0
"""Beside a tenth of the requests: five at once, and ten a minute."""


@dataclass(frozen=True, slots=True)
class Means:
    """`upstreams` by the provider's id. `retries` is what the policy's requests may retry."""

    upstreams: Mapping[str, Upstream]
    router: Router
    hedging: Hedging
    retries: Ration
    random: Random


def retry_ration(clock: Clock) -> Ration:
    return Ration(
        RETRY_PERCENT, SAVED_RETRIES, clock, floor=FLOOR_RETRIES, floor_seconds=FLOOR_SECONDS
    )
