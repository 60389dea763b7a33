"""Which models are asked beside callers' requests."""

from penstock_config.policy import Policy
from penstock_config.provider import Model, Price, Provider
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Tier
from penstock_sidecar.aside import cheapest


def model(name: str, price: tuple[int, int] | None, *capabilities: str) -> Model:
    cost = Price(input_token=price[0], output_token=price[1]) if price else None
    able = capabilities or ("chat",)
    fields = {"name": name, "upstream_name": name, "capabilities": able, "price": cost}
    return Model.model_validate(fields)


def config(*models: Model) -> tuple[SidecarConfig, Policy]:
    provider = Provider(
        id="t/p", type="openai", base_url="https://example.com", needs_key=False, models=models
    )
    tiers = tuple(
        Tier(id=f"t/{m.name}", name=m.name, candidates=(Candidate(provider="t/p", model=m.name),))
        for m in models
    )
    policy = Policy(id="t/policy", tiers=tuple(tier.id for tier in tiers if tier.name != "hidden"))
    return (
        SidecarConfig(
            cluster="c", namespace="t", providers=(provider,), tiers=tiers, policies=(policy,)
        ),
        policy,
    )


def test_the_cheapest_comes_first_by_what_a_summary_needs() -> None:
    """Four times as much is read as is written."""
    found = cheapest(
        *config(
            model("dear", (9, 9)),
            model("reads-cheaply", (1, 10)),
            model("writes-cheaply", (4, 1)),
            model("free", (0, 0)),
        )
    )
    assert [each.model.name for each in found] == [
        "free",
        "reads-cheaply",
        "writes-cheaply",
        "dear",
    ]


def test_who_cannot_chat_or_has_no_price_or_is_not_the_policy_s_is_not_asked() -> None:
    found = cheapest(
        *config(
            model("embeds", (0, 0), "embeddings"),
            model("unpriced", None),
            model("hidden", (0, 0)),
            model("chats", (5, 5)),
        )
    )
    assert [each.model.name for each in found] == ["chats"]
