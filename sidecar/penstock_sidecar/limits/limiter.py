"""The stage that decides whether a request may go on, and that counts what it used."""

import random
import secrets
from itertools import count
from typing import Final

from penstock_config.layout import Group
from penstock_config.policy import Policy
from penstock_config.provider import Provider, RateLimits
from penstock_config.schema import SidecarConfig
from penstock_sidecar.clock import Clock
from penstock_sidecar.limits.allowances import Allowances
from penstock_sidecar.limits.arrears import Arrears
from penstock_sidecar.limits.attempt import Attempt
from penstock_sidecar.limits.binding import Asker, CandidateBounds, caller_bounds, candidate_bounds
from penstock_sidecar.limits.caller_hold import CallerHold
from penstock_sidecar.limits.denials import Denials
from penstock_sidecar.limits.desk import Desk, LimitObserver
from penstock_sidecar.limits.leases import Leases, leasable
from penstock_sidecar.limits.ledger import HOLD_SECONDS, Ledger
from penstock_sidecar.limits.lines import Lines
from penstock_sidecar.limits.memory import Memory
from penstock_sidecar.limits.presence import Presence
from penstock_sidecar.limits.priority import priority_of
from penstock_sidecar.limits.refusals import Refusals
from penstock_sidecar.limits.renewals import Renewals
from penstock_sidecar.limits.room import LimitRoom
from penstock_sidecar.limits.settlements import Settlements
from penstock_sidecar.limits.ticket import Ticket
from penstock_sidecar.limits.upkeep import Upkeep
from penstock_sidecar.metering.estimate import estimate_input
from penstock_sidecar.model import Caller, Candidate, Pod, Request
from penstock_sidecar.store import Store

__all__ = ["Attempt", "Limiter", "Ticket"]

INCARNATION_BYTES: Final = 6


class Limiter:
    """Built once per configuration. `memory` is that of the limiters before and after this one, so
    that a change of configuration admits nothing twice. `close` ends what it started."""

    def __init__(  # noqa: PLR0913  # five come from the runtime; the named ones are for tests
        self,
        config: SidecarConfig,
        policy: Policy,
        pod: Pod,
        store: Store | None,
        scope_key: bytes,
        memory: Memory,
        *,
        hold_seconds: float = HOLD_SECONDS,
        observer: LimitObserver | None = None,
    ) -> None:
        self._config = config
        self._pod = pod
        self._caller_bounds = caller_bounds(config, policy, scope_key)
        self._candidates: dict[tuple[str, str, str], CandidateBounds] = {}
        ledger = Ledger(store, memory, hold_seconds)
        settlements = Settlements(ledger, memory.journal)
        renewals = Renewals(ledger, hold_seconds)
        incarnation, numbers = secrets.token_hex(INCARNATION_BYTES), count(1)
        allowances = Allowances(
            ledger, renewals, settlements, lambda: f"{incarnation}-{next(numbers):x}"
        )
        leases = self._leases(policy, settlements, memory.clock)
        own = _own_group(config) if self._caller_bounds.bounds or config.budgets else None
        local = policy.on_redis_loss == "LocalShare"
        self._desk = Desk(
            policy=policy,
            ledger=ledger,
            settlements=settlements,
            renewals=renewals,
            presence=Presence(_groups(config), ledger, renewals, settlements, own=own),
            refusals=Refusals(memory.clock, random.Random()),  # noqa: S311  # spreads waits, guards nothing
            denials=Denials(memory.clock),
            lines=Lines(),
            upkeep=Upkeep(allowances if local and ledger.configured else None, leases),
            allowances=allowances,
            arrears=Arrears(ledger, settlements),
            leases=leases,
            incarnation=incarnation,
            numbers=numbers,
            observer=observer,
        )
        self.room = LimitRoom(self._bounds, _own_group(config), memory.headroom, memory.clock)
        """What is left of all limits, as last heard."""

    def start(self) -> None:
        """Say what a former process could not, and that this one lives."""
        self._desk.presence.start()
        self._desk.settlements.inherit(self._desk.memory.inheritance())

    def ticket(self, caller: Caller, request: Request) -> Ticket:
        """Takes nothing yet."""
        bounds, policy = self._caller_bounds, self._desk.policy
        priority = priority_of(policy.request_priority, request.headers)
        asker = Asker(caller, request, estimate_input(request), priority)
        hold = CallerHold(self._desk, lambda: bounds.place(asker), bounds.bounds, policy.sidecars)
        return Ticket(self._desk, hold, asker, self._bounds)

    async def settled(self) -> None:
        """Returns when Redis knows what was used, however long it is away; nothing is put aside
        any more then."""
        await self._desk.arrears.settled()
        self._desk.allowances.close()
        await self._desk.settlements.settled()

    async def close(self) -> None:
        """Requests have ended; waits for their settlements, if Redis answers."""
        await self._desk.presence.close()
        await self._desk.arrears.close()
        await self._desk.upkeep.close()
        await self._desk.renewals.close()
        await self._desk.settlements.close()

    def _leases(self, policy: Policy, settlements: Settlements, clock: Clock) -> Leases | None:
        bounds = self._caller_bounds.bounds
        if not leasable(bounds, policy.limits):
            return None
        return Leases(bounds, policy.sidecars, settlements, clock)

    def _bounds(self, candidate: Candidate) -> CandidateBounds:
        key = (candidate.provider.id, candidate.model.name, candidate.tier_id)
        if key not in self._candidates:
            self._candidates[key] = candidate_bounds(
                self._config, self._caller_bounds, self._pod, candidate
            )
        return self._candidates[key]


def _groups(config: SidecarConfig) -> tuple[Group, ...]:
    """Those whose books this configuration may write in."""
    wide = {id_ for budget in config.budgets if budget.provider_wide for id_ in budget.providers}
    providers = (
        Group.of_provider(config.cluster, provider.id)
        for provider in config.providers
        if provider.id in wide or _limited(provider)
    )
    return (_own_group(config), *providers)


def _own_group(config: SidecarConfig) -> Group:
    return Group.of_namespace(config.cluster, config.namespace)


def _limited(provider: Provider) -> bool:
    none = RateLimits()
    return provider.limits != none or any(model.limits != none for model in provider.models)
