"""Which way a request would take, decided by the sidecar's own stages. Sends nothing."""

import json
from dataclasses import dataclass
from random import Random

from penstock_cli.failure import WrongUsage
from penstock_cli.standin import StandInPod
from penstock_config.budget import Budget
from penstock_config.policy import Policy
from penstock_operator.compile.labels import selects
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
from penstock_sidecar.model import ANONYMOUS, Candidate, Pod, Request
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.routing.router import Route, Router, Selection

SEED = 0
"""Equal questions get equal orders; a sidecar draws among candidates of equal priority."""


@dataclass(frozen=True, slots=True)
class Question:
    """The request to explain. `headers` are `name: value` lines."""

    model: str
    prompt: str
    user: str = ""
    headers: tuple[str, ...] = ()

    def request(self) -> Request:
        headers = dict(map(_header, self.headers))
        if self.user:
            headers["x-penstock-user"] = self.user
        messages = [{"role": "user", "content": self.prompt}]
        body = json.dumps({"model": self.model, "messages": messages}).encode()
        return parse_chat(body, headers, "explain")


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
    route: Route | None = None
    selection: Selection | None = None
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
    given = estimate_input(request)
    router = Router(standin.config, policy, Random(SEED), SystemClock())  # noqa: S311  # not a secret
    try:
        caller = Identifier(policy.identity, pod).identify(request)
        route = router.route(request, caller, given.tokens)
        selection = router.order(route, request, given.tokens)
    except SidecarError as error:
        refusal = f"{error.status} {error.code or error.type}: {error.public}"
        return Explanation(standin, policy, question.user or ANONYMOUS, given, refusal=refusal)
    return Explanation(
        standin,
        policy,
        caller.user,
        given,
        route,
        selection,
        tuple(_cost(c, request, given, standin) for c in selection.candidates),
        tuple(b for b in standin.config.budgets if _binds(b, standin, selection.candidates)),
    )


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        msg = f"--header {line}: write name: value"
        raise WrongUsage(msg)
    return name.strip().lower(), value.strip()


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
