"""The stage that decides whether a request may go on, and that counts what it used."""

import random
import secrets
from itertools import count
from typing import Final

from penstock_config.policy import Policy
from penstock_config.schema import SidecarConfig
from penstock_sidecar.clock import Clock
from penstock_sidecar.limits.attempt import Attempt
from penstock_sidecar.limits.binding import CandidateBounds, caller_bounds, candidate_bounds
from penstock_sidecar.limits.caller_hold import CallerHold
from penstock_sidecar.limits.desk import Desk, LimitObserver
from penstock_sidecar.limits.ledger import HOLD_SECONDS, Ledger
from penstock_sidecar.limits.refusals import Refusals
from penstock_sidecar.limits.renewals import Renewals
from penstock_sidecar.limits.settlements import Settlements
from penstock_sidecar.limits.shares import Shares
from penstock_sidecar.limits.ticket import Ticket
from penstock_sidecar.metering.estimate import estimate_input
from penstock_sidecar.model import Caller, Candidate, Pod, Request
from penstock_sidecar.store import Store

__all__ = ["Attempt", "Limiter", "Ticket"]

INCARNATION_BYTES: Final = 6


class Limiter:
    """Built once per configuration. `shares` may be those of the limiters before and after this
    one, so that a change of configuration admits nothing twice. `close` ends what it started."""

    def __init__(  # noqa: PLR0913  # six come from the runtime; the named ones are for tests
        self,
        config: SidecarConfig,
        policy: Policy,
        pod: Pod,
        store: Store | None,
        scope_key: bytes,
        clock: Clock,
        *,
        hold_seconds: float = HOLD_SECONDS,
        observer: LimitObserver | None = None,
        shares: Shares | None = None,
    ) -> None:
        self._config = config
        self._pod = pod
        self._caller_bounds = caller_bounds(config, policy, scope_key)
        self._candidates: dict[tuple[str, str, str], CandidateBounds] = {}
        ledger = Ledger(store, clock, hold_seconds)
        self._desk = Desk(
            policy=policy,
            ledger=ledger,
            settlements=Settlements(ledger),
            renewals=Renewals(ledger, clock, hold_seconds),
            shares=shares or Shares(clock),
            refusals=Refusals(clock, random.Random()),  # noqa: S311  # spreads waits, guards nothing
            incarnation=secrets.token_hex(INCARNATION_BYTES),
            numbers=count(1),
            observer=observer,
        )

    def ticket(self, caller: Caller, request: Request) -> Ticket:
        """Takes nothing yet."""
        bounds = self._caller_bounds
        place = bounds.place(caller, request.headers)
        hold = CallerHold(self._desk, place, bounds.bounds, self._desk.policy.sidecars)
        return Ticket(self._desk, hold, request, estimate_input(request), self._bounds)

    async def settled(self) -> None:
        """Returns when Redis knows what was used, however long it is away."""
        await self._desk.settlements.settled()

    async def close(self) -> None:
        """Requests have ended; waits for their settlements, if Redis answers."""
        await self._desk.renewals.close()
        await self._desk.settlements.close()

    def _bounds(self, candidate: Candidate) -> CandidateBounds:
        key = (candidate.provider.id, candidate.model.name, candidate.tier_id)
        if key not in self._candidates:
            self._candidates[key] = candidate_bounds(self._config, self._pod, candidate)
        return self._candidates[key]
