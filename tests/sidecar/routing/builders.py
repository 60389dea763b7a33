"""Small configurations to route by, and requests to route."""

from collections.abc import Mapping
from typing import Literal

from penstock_config.policy import HeaderMatch, Match, Policy, Rule, Target
from penstock_config.provider import Capability, Health, Model, Provider
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate as TierCandidate
from penstock_config.tier import Floor, Strategy, Tier
from penstock_sidecar.model import Caller, Request

CALLER = Caller("shop", "web", "web-1", "ann")
EVERYTHING: tuple[Capability, ...] = ("chat", "tools", "vision")


class ManualClock:
    """Goes when it is told to."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now

    def utc(self) -> float:
        return self.now


def model(
    name: str,
    *,
    capabilities: tuple[Capability, ...] = EVERYTHING,
    context_window: int | None = None,
) -> Model:
    return Model(
        name=name, upstream_name=name, capabilities=capabilities, context_window=context_window
    )


def provider(name: str, *models: Model | str, health: Health | None = None) -> Provider:
    return Provider(
        id=f"shop/{name}",
        type="openai",
        base_url="https://provider.example/v1",
        needs_key=False,
        models=tuple(m if isinstance(m, Model) else model(m) for m in models),
        health=health or Health(),
    )


def candidate(label: str, *, weight: int = 1, priority: int = 0) -> TierCandidate:
    """`label` is `<provider>/<model>`."""
    provider_name, _, model_name = label.partition("/")
    return TierCandidate(
        provider=f"shop/{provider_name}", model=model_name, weight=weight, priority=priority
    )


def tier(
    name: str,
    *candidates: TierCandidate | str,
    fallback: tuple[str, ...] = (),
    denied: str | None = None,
    strategy: Strategy = "Weighted",
    floors: tuple[Floor, ...] = (),
    on_no_fit: Literal["Cheapest", "Reject"] = "Cheapest",
) -> Tier:
    return Tier(
        id=f"shop/{name}",
        name=name,
        candidates=tuple(candidate(c) if isinstance(c, str) else c for c in candidates),
        fallback_tiers=tuple(f"shop/{f}" for f in fallback),
        denied=denied,
        strategy=strategy,
        floors=floors,
        on_no_fit=on_no_fit,
    )


def rule(
    name: str,
    target: Target,
    *,
    models: tuple[str, ...] = (),
    users: tuple[str, ...] = (),
    headers: Mapping[str, str] | None = None,
    max_input_tokens: int | None = None,
) -> Rule:
    wanted = tuple(HeaderMatch(name=n, value=v) for n, v in (headers or {}).items())
    match = Match(models=models, users=users, headers=wanted, max_input_tokens=max_input_tokens)
    return Rule(name=name, match=match, target=target)


def to_tier(name: str) -> Target:
    return Target(tier=f"shop/{name}")


def policy(*tiers: str, rules: tuple[Rule, ...] = (), default: Target | None = None) -> Policy:
    return Policy(
        id="shop/main", tiers=tuple(f"shop/{t}" for t in tiers), rules=rules, default=default
    )


def config(
    providers: tuple[Provider, ...], tiers: tuple[Tier, ...], ruling: Policy
) -> SidecarConfig:
    return SidecarConfig(
        cluster="test", namespace="shop", providers=providers, tiers=tiers, policies=(ruling,)
    )


def request(
    name: str = "auto",
    *,
    images: int = 0,
    tools: bool = False,
    json: bool = False,
    max_output_tokens: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Request:
    return Request(
        call_id="c1",
        model=name,
        stream=False,
        usage_wanted=False,
        body=b"",
        document={"model": name},
        headers=headers or {},
        images=images,
        tools=tools,
        json=json,
        max_output_tokens=max_output_tokens,
    )
