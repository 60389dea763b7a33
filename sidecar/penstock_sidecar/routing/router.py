"""Where a request goes: its rule, its target, and the candidates in the order to try.

Names a caller may send, first that fits: what a rule matches; a tier of the policy; a model in one
of its tiers; `auto` or `auto:<complexity>` for the policy's default. Else 404.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from penstock_config.policy import Policy
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Tier
from penstock_sidecar.clock import Clock
from penstock_sidecar.errors import CallerError, Denied, NoFit, UnknownModel, UpstreamError
from penstock_sidecar.fleet import Fleets, Situation
from penstock_sidecar.health.breakers import Breakers, Trial, Trials
from penstock_sidecar.model import (
    OLLAMA_APIS,
    UNCLASSIFIED,
    Api,
    Caller,
    Candidate,
    Classification,
    Request,
)
from penstock_sidecar.routing.asked import Asked
from penstock_sidecar.routing.catalogue import Catalogue
from penstock_sidecar.routing.debug import Verdict
from penstock_sidecar.routing.drops import Drop
from penstock_sidecar.routing.estimates import Estimates
from penstock_sidecar.routing.floors import Floors, nobody_fits
from penstock_sidecar.routing.offers import Offer, offer_of
from penstock_sidecar.routing.order import Order, all_by
from penstock_sidecar.routing.room import Endless, Room
from penstock_sidecar.routing.routes import AUTO, AUTOMATIC, Route, Routes
from penstock_sidecar.routing.rules import Rules
from penstock_sidecar.routing.seen import Seen
from penstock_sidecar.routing.setbacks import Setbacks
from penstock_sidecar.routing.sieves import Sieves
from penstock_sidecar.routing.spellings import spellings
from penstock_sidecar.routing.strategies.build import Known, judges, strategy_of, watches
from penstock_sidecar.routing.strategies.least_cost import LeastCost
from penstock_sidecar.values import dataclass

DOWNGRADE: Final = "downgrade"
MAX_NAMES_SHOWN: Final = 20
MAX_NAME_ECHOED: Final = 64


@dataclass(frozen=True, slots=True)
class Selection:
    """The candidates to try, in order and never none; those that cannot serve, and those that
    come late, with the reason."""

    candidates: tuple[Candidate, ...]
    drops: tuple[Drop, ...]
    asked: Asked


class Router:
    """Routes by one policy. `breakers` and `seen` may be shared with the routers before and after
    this one, so that a change of configuration forgets no failure; `room` is the limiter's, and
    `fleets` are there where the operator runs a provider."""

    def __init__(  # noqa: PLR0913  # what three stages know
        self,
        config: SidecarConfig,
        policy: Policy,
        random: Random,
        clock: Clock,
        breakers: Breakers | None = None,
        *,
        seen: Seen | None = None,
        room: Room | None = None,
        fleets: Fleets | None = None,
    ) -> None:
        self._catalogue = Catalogue(config, policy)
        self._makeups: dict[str, str] = {}
        self._rules = Rules(policy.rules)
        self._routes = Routes(policy, self._catalogue)
        self._policy = policy
        self._breakers = breakers or Breakers(clock)
        self._estimates = Estimates()
        seen, room = seen or Seen.nothing(clock), room or Endless()
        known = Known(self._estimates, seen, room, random, fleets)
        self._fleets = fleets
        tiers = self._catalogue.tiers
        setbacks = Setbacks(self._breakers, room, fleets)
        self._sieves = Sieves(policy.personal_data)
        self._floors = Floors(tiers, known.estimates, known.waits)
        strategies = {id_: strategy_of(tier, known) for id_, tier in tiers.items()}
        self._order = Order(strategies, setbacks)
        cheapest = LeastCost(known.estimates, random)
        self._cheapest_first = Order(all_by(cheapest, tiers), setbacks, by_priority=False)

    def route(
        self,
        request: Request,
        caller: Caller,
        input_tokens: int,
        classification: Classification = UNCLASSIFIED,
    ) -> Route:
        """Raises `UnknownModel`, or `Denied` with the configuration's text."""
        names = spellings(request.model) if request.api in OLLAMA_APIS else (request.model,)
        for name in names:
            asked = request if name == request.model else replace(request, model=name)
            if rule := self._rules.first(asked, caller, input_tokens, classification):
                return self._routes.ruled(rule)
            if found := self._routes.named(name):
                return found
        raise self._unknown(request.model)

    def order(
        self,
        route: Route,
        request: Request,
        input_tokens: int,
        classification: Classification = UNCLASSIFIED,
    ) -> Selection:
        """Who may and can serve, best first. Raises `Denied`, `NoFit` or a `CallerError` if nobody.

        Tier after tier; within one by priority; within a priority as the tier's strategy says
        (weight 0 last). Who surely would be refused comes last in his tier; whose breaker is open
        comes after all others, the soonest to close first.
        """
        asked = Asked.of(request, input_tokens, classification)
        sieved = self._sieves.sieved(route.target, route.candidates, request, input_tokens)
        tier_id = route.tier_id
        fitting = self._floors.sieved(sieved.kept, asked, of_tier=tier_id is not None)
        if fitting.kept:
            candidates, setbacks = self._order.ordered(fitting.kept, asked)
            return Selection(candidates, sieved.drops + fitting.drops + setbacks, asked)
        if tier_id and self.tier(tier_id).on_no_fit == "Reject":
            raise nobody_fits(fitting.drops)
        candidates, setbacks = self._cheapest_first.ordered(sieved.kept, asked)
        unfit = tuple(replace(drop, last=True) for drop in fitting.drops)
        return Selection(candidates, sieved.drops + unfit + setbacks, asked)

    def verdicts(self, selection: Selection) -> tuple[Verdict, ...]:
        """What spoke for each candidate, for people."""
        asked, tiers = selection.asked, self._catalogue.tiers
        return tuple(
            Verdict(
                candidate,
                tiers[candidate.tier_id].strategy,
                self._order.score(candidate, asked),
                self._estimates.micro_usd(candidate, asked),
                *self._replicas(candidate),
            )
            for candidate in selection.candidates
        )

    def downgraded(
        self,
        tier_id: str,
        request: Request,
        input_tokens: int,
        classification: Classification = UNCLASSIFIED,
    ) -> Sequence[Candidate]:
        """Who serves where a budget leads; nobody where nobody there can."""
        route = Route(DOWNGRADE, f"tier:{tier_id}", self._catalogue.of_tier(tier_id))
        if not route.candidates:
            return ()
        try:
            return self.order(route, request, input_tokens, classification).candidates
        except (CallerError, Denied, NoFit):
            return ()

    def kind(self, route: Route, classification: Classification) -> str:
        """What must be the same for one answer to serve two requests: hard questions are not
        answered as easy ones were, where the tier makes a difference, nor by other models."""
        makeup = self._makeups.get(route.target) or self._made_of(route)
        tier = self._catalogue.tiers[route.tier_id] if route.tier_id else None
        hardness = classification.complexity if tier and (tier.floors or tier.ensemble) else ""
        return f"{hardness} {makeup}"

    def _made_of(self, route: Route) -> str:
        """The models that a target has by this configuration: an edited tier answers anew."""
        own = self._catalogue.own(route.tier_id) if route.tier_id else route.candidates
        makeup = " ".join(sorted(f"{c.label}={c.model.upstream_name}" for c in own))
        return self._makeups.setdefault(route.target, makeup)

    def tier(self, tier_id: str) -> Tier:
        return self._catalogue.tiers[tier_id]

    @property
    def watches(self) -> bool:
        """Whether anything goes by what attempts are like."""
        return watches(self._catalogue.tiers.values())

    def judged(self) -> tuple[str, ...]:
        """Labels of candidates that are chosen by what their answers were like."""
        tiers = self._catalogue.tiers.values()
        own = (self._catalogue.own(tier.id) for tier in tiers if judges(tier))
        return tuple(dict.fromkeys(c.label for candidates in own for c in candidates))

    def models(self) -> tuple[tuple[str, str], ...]:
        """Names that a caller may send and that have candidates, with who owns each."""
        served = tuple(self._catalogue.served())
        automatic = self._policy.default is not None or self._rules.may_match_model(AUTO)
        return (*served, (AUTO, "penstock")) if automatic else served

    def offers(self) -> tuple[Offer, ...]:
        """The same names, with what can be had by each."""
        return tuple(
            offer_of(name, owner, self._routes.serving(name)) for name, owner in self.models()
        )

    def failed(self, candidate: Candidate, error: UpstreamError, api: Api) -> None:
        """An attempt that reached out ended so; not for a limit in our own books."""
        self._breakers.failed(candidate, error, api)

    def succeeded(self, candidate: Candidate, api: Api, began: float) -> None:
        """`began` is when the call did, by the clock."""
        self._breakers.succeeded(candidate, api, began)

    def out(self, candidate: Candidate, api: Api) -> bool:
        """Its breaker is open, or nobody is there: asking it again at once is no use."""
        if self._breakers.state(candidate, api).out:
            return True
        return self._fleets is not None and self._fleets.trouble(candidate) is not None

    def trial(self, candidates: Sequence[Candidate], api: Api) -> Trial:
        """`async with`: the candidates, in the order that is right now (see `Trial`)."""
        return self._breakers.trial(candidates, api)

    def trials(self, api: Api) -> Trials:
        """`with`: for a request that asks several beside each other."""
        return self._breakers.trials(api)

    def _replicas(self, candidate: Candidate) -> tuple[Situation | None, int | None, str]:
        fleets = self._fleets
        if fleets is None:
            return None, None, ""
        return fleets.situation(candidate), fleets.in_front(candidate), fleets.message(candidate)

    def _unknown(self, name: str) -> UnknownModel:
        if name in AUTOMATIC:
            msg = f"policy {self._policy.id} has no defaultTier"
        else:
            echo = name if len(name) <= MAX_NAME_ECHOED else f"{name[:MAX_NAME_ECHOED]}..."
            msg = f"the model `{echo}` does not exist or this policy may not use it"
        names = [id_ for id_, _ in self.models()]
        more = len(names) - MAX_NAMES_SHOWN
        listed = ", ".join(names[:MAX_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
        return UnknownModel(f"{msg}; served are: {listed or 'none'}", param="model")
