"""A budget that downgrades: from a percentage on a cheaper tier serves, then what is free."""

from typing import Any

from penstock_cli.stub import Ok
from penstock_config.budget import Amounts, Budget, Downgrade
from penstock_config.policy import Target
from penstock_config.provider import Price
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Tier
from tests.planes.plane import NAMESPACE, Plane, chat, tier

FREE = Price(input_token=0, output_token=0)


def downgrading(plane: Plane, daily: int, *, free: bool = False, **changes: Any) -> SidecarConfig:
    """`solo` serves, and `cheap` is where the budget leads."""
    solo = Target(tier=f"{NAMESPACE}/solo")
    config = plane.config(default=solo, **changes)
    leads = {"downgrade_tiers": (f"{NAMESPACE}/cheap",)}
    policies = tuple(each.model_copy(update=leads) for each in config.policies)
    main, backup = config.providers
    if free:
        models = tuple(m.model_copy(update={"price": FREE}) for m in backup.models)
        backup = backup.model_copy(update={"models": models})
    return config.model_copy(
        update={
            "providers": (main, backup),
            "policies": policies,
            "tiers": (*config.tiers, cheap()),
            "budgets": (
                Budget(
                    id=f"{NAMESPACE}/team",
                    limits=Amounts(daily=daily),
                    on_exceeded="Downgrade",
                    downgrade=Downgrade(tier=f"{NAMESPACE}/cheap", at_percent=50),
                ),
            ),
        }
    )


def cheap() -> Tier:
    return tier("cheap", ("backup", "large"))


async def served_by(plane: Plane, model: str = "auto") -> str:
    """The tier that answered, or the status of a refusal."""
    answer = await plane.ask(chat(model=model, max_tokens=20))
    return answer.headers["x-penstock-tier"] if answer.status == 200 else str(answer.status)


async def test_the_cheaper_tier_serves_from_the_percentage_on(plane: Plane) -> None:
    plane.main.always(Ok(text="word " * 20))
    plane.backup.always(Ok(text="word " * 20))
    await plane.publish(downgrading(plane, daily=100))
    served = [await served_by(plane) for _ in range(12)]
    assert served[0] == "solo"
    turned = served.index("cheap")
    refused = served.index("429")
    assert set(served[:turned]) == {"solo"}
    assert set(served[turned:refused]) == {"cheap"}
    assert set(served[refused:]) == {"429"}


async def test_what_costs_nothing_serves_for_ever(plane: Plane) -> None:
    plane.main.always(Ok(text="word " * 20))
    await plane.publish(downgrading(plane, daily=40, free=True))
    served = [await served_by(plane) for _ in range(10)]
    assert set(served[-5:]) == {"cheap"}


async def test_nobody_can_ask_for_the_cheaper_tier_or_its_models(plane: Plane) -> None:
    tiers = (f"{NAMESPACE}/solo",)
    await plane.publish(downgrading(plane, daily=1000, tiers=tiers))
    assert [await served_by(plane, name) for name in ("cheap", "large")] == ["404", "404"]
