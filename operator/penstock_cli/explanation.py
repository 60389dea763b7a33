"""Which way a request would take, decided by the sidecar's own stages. Sends nothing."""

from dataclasses import dataclass, replace
from random import Random

from penstock_cli.failure import WrongUsage
from penstock_cli.question import Question
from penstock_cli.standin import StandInPod
from penstock_config.budget import Budget
from penstock_config.policy import Policy
from penstock_operator.compile.labels import selects
from penstock_sidecar.classify import Classifier, Classify
from penstock_sidecar.clock import SystemClock
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
from penstock_sidecar.model import (
    ANONYMOUS,
    UNCLASSIFIED,
    Caller,
    Candidate,
    Classification,
    Pod,
    Request,
)
from penstock_sidecar.routing.debug import Verdict
from penstock_sidecar.routing.router import Router, Selection
from penstock_sidecar.routing.routes import Route

SEED = 0
"""Equal questions get equal orders; a sidecar draws among candidates of equal priority."""


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

    pod: StandInPod
    policy: Policy
    user: str
    input: Input
    classification: Classification | None = None
    route: Route | None = None
    selection: Selection | None = None
    verdicts: tuple[Verdict, ...] = ()
    """What speaks for each candidate, in the selection's order."""
    costs: tuple[Cost, ...] = ()
    """Of each candidate, in the selection's order."""
    budgets: tuple[Budget, ...] = ()
    refusal: str = ""


def explained(standin: StandInPod, question: Question) -> Explanation:
    """Run the question through identity, routing and metering; raises `WrongUsage`."""
    policy = standin.policy
    if policy is None:
        msg = f"no RoutePolicy of namespace {standin.namespace} selects these labels"
        raise WrongUsage(msg)
    pod = Pod(standin.namespace, "local", standin.app, standin.labels)
    request = question.request()
    nothing = Explanation(standin, policy, question.user or ANONYMOUS, estimate_input(request))
    router = Router(standin.config, policy, Random(SEED), SystemClock())  # noqa: S311  # not a secret
    try:
        caller = Identifier(policy.identity, pod).identify(request)
        found = Classify(Classifier.load(), always=True).classification(request)
        nothing = replace(nothing, user=caller.user, classification=found)
        return _led(nothing, router, request, caller)
    except SidecarError as error:
        refusal = f"{error.status} {error.code or error.type}: {error.public}"
        return replace(nothing, refusal=refusal)


def _led(begun: Explanation, router: Router, request: Request, caller: Caller) -> Explanation:
    """As far as candidates in their order. Raises a `SidecarError` that refuses."""
    standin, given = begun.pod, begun.input
    found = begun.classification or UNCLASSIFIED
    route = router.route(request, caller, given.tokens, found)
    selection = router.order(route, request, given.tokens, found)
    budgets = (b for b in standin.config.budgets if _binds(b, standin, selection.candidates))
    return replace(
        begun,
        route=route,
        selection=selection,
        verdicts=router.verdicts(selection),
        costs=tuple(_cost(c, request, given, standin) for c in selection.candidates),
        budgets=tuple(budgets),
    )


def _cost(candidate: Candidate, request: Request, given: Input, standin: StandInPod) -> Cost:
    output_tokens = output_cap(request, candidate.model) or OUTPUT_TOKENS
    try:
        price = price_of(candidate.provider, candidate.model)
    except PriceUnknown:
        binding = (b for b in standin.config.budgets if _binds(b, standin, (candidate,)))
        return Cost(None, output_tokens, any(b.on_exceeded != "Warn" for b in binding))
    quote = Quote.of(price, given, request.choices, output_tokens)
    return Cost(quote.most_micro_usd, output_tokens, refused=False)


def _binds(budget: Budget, pod: StandInPod, candidates: tuple[Candidate, ...]) -> bool:
    """Whether spending on any of the candidates counts."""
    return selects(budget.selector, pod.labels) and any(
        (not budget.tiers or c.tier_id in budget.tiers)
        and (not budget.providers or c.provider.id in budget.providers)
        for c in candidates
    )
