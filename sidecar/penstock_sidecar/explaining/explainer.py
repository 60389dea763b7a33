"""The stages that decide, one after the other, as far as they lead."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from penstock_config.budget import Budget
from penstock_config.policy import Policy
from penstock_config.schema import SidecarConfig
from penstock_sidecar.classify import Classifier, Classify
from penstock_sidecar.errors import SidecarError
from penstock_sidecar.identity.caller import Identifier
from penstock_sidecar.metering.estimate import (
    OUTPUT_TOKENS,
    Input,
    PriceUnknown,
    Quote,
    estimate_input,
    output_cap,
    price_of,
)
from penstock_sidecar.model import ANONYMOUS, Candidate, Classification, Pod, Request
from penstock_sidecar.routing.debug import Verdict
from penstock_sidecar.routing.router import Router, Selection
from penstock_sidecar.routing.routes import Route
from penstock_sidecar.selector import matches


@dataclass(frozen=True, slots=True)
class Cost:
    """What a candidate's answer can cost, with `output_tokens` at most; `None` where no price is
    known, and `refused` where a budget binds it that refuses for this."""

    most_micro_usd: int | None
    output_tokens: int
    refused: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """The way, as far as it leads: `refusal` says where it ends."""

    policy: Policy
    labels: Mapping[str, str]
    """The pod's."""
    input: Input
    user: str = ANONYMOUS
    classification: Classification | None = None
    route: Route | None = None
    selection: Selection | None = None
    verdicts: tuple[Verdict, ...] = ()
    """What speaks for each candidate, in the selection's order."""
    costs: tuple[Cost, ...] = ()
    """Of each candidate, in the selection's order."""
    budgets: tuple[Budget, ...] = ()
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Explainer:
    """Of one policy's requests in one pod. `router` knows what it knows: a sidecar's, what has
    failed and what is left; a new one, nothing."""

    config: SidecarConfig
    policy: Policy
    pod: Pod
    router: Router

    def routed(self, request: Request) -> Explanation:
        """Who asks, what it is about, and where that leads."""
        begun = Explanation(self.policy, self.pod.labels, estimate_input(request))
        return _as_far_as_it_leads(begun, lambda: self._routed(begun, request))

    def chosen(self, found: Explanation, request: Request) -> Explanation:
        """What was `routed`, with the candidates in their order."""
        return _as_far_as_it_leads(found, lambda: self._chosen(found, request))

    def _routed(self, begun: Explanation, request: Request) -> Explanation:
        caller = Identifier(self.policy.identity, self.pod).identify(request)
        found = Classify(Classifier.load(), always=True).classification(request)
        begun = replace(begun, user=caller.user, classification=found)
        return _as_far_as_it_leads(
            begun,
            lambda: replace(
                begun, route=self.router.route(request, caller, begun.input.tokens, found)
            ),
        )

    def _chosen(self, found: Explanation, request: Request) -> Explanation:
        if found.route is None or found.classification is None:
            return found
        tokens, class_ = found.input.tokens, found.classification
        selection = self.router.order(found.route, request, tokens, class_)
        candidates = selection.candidates
        return replace(
            found,
            selection=selection,
            verdicts=self.router.verdicts(selection),
            costs=tuple(self._cost(each, request, found.input) for each in candidates),
            budgets=tuple(b for b in self.config.budgets if self._binds(b, candidates)),
        )

    def _cost(self, candidate: Candidate, request: Request, given: Input) -> Cost:
        output_tokens = output_cap(request, candidate.model) or OUTPUT_TOKENS
        try:
            price = price_of(candidate.provider, candidate.model)
        except PriceUnknown:
            binding = (b for b in self.config.budgets if self._binds(b, (candidate,)))
            return Cost(None, output_tokens, any(b.on_exceeded != "Warn" for b in binding))
        quote = Quote.of(price, given, request.choices, output_tokens)
        return Cost(quote.most_micro_usd, output_tokens, refused=False)

    def _binds(self, budget: Budget, candidates: tuple[Candidate, ...]) -> bool:
        """Whether spending on any of the candidates counts."""
        return matches(budget.selector, self.pod.labels) and any(
            (not budget.tiers or c.tier_id in budget.tiers)
            and (not budget.providers or c.provider.id in budget.providers)
            for c in candidates
        )


def _as_far_as_it_leads(begun: Explanation, go_on: Callable[[], Explanation]) -> Explanation:
    try:
        return go_on()
    except SidecarError as error:
        refusal = f"{error.status} {error.code or error.type}: {error.public}"
        return replace(begun, refusal=refusal)
