"""Money per period."""

from typing import Literal

from pydantic import Field

from penstock_config.base import ConfigModel, MicroUsd, ObjectId
from penstock_config.policy import Selector


class Amounts(ConfigModel):
    """The most that may be spent in a calendar period. `None` is no bound."""

    daily: MicroUsd | None = None
    weekly: MicroUsd | None = None
    """Weeks begin on Monday (ISO 8601)."""
    monthly: MicroUsd | None = None
    total: MicroUsd | None = None


class Downgrade(ConfigModel):
    """From `at_percent` of an amount on only this tier, or what costs nothing, may spend."""

    tier: ObjectId
    at_percent: int = Field(80, ge=1, le=99)


class Boost(ConfigModel):
    """More money, added to every amount until a moment."""

    amount: MicroUsd
    until: int
    """Unix time, in seconds."""


class Budget(ConfigModel):
    """`selector`, `tiers` and `providers` narrow it; all that are given must hold."""

    id: ObjectId
    provider_wide: bool = False
    """Counted in the group of its provider, over all namespaces (exactly one of `providers`)."""
    selector: Selector = Selector()
    tiers: tuple[ObjectId, ...] = ()
    providers: tuple[ObjectId, ...] = ()
    limits: Amounts = Amounts()
    per_user: Amounts = Amounts()
    """The same for each user by himself."""
    time_zone: str = "UTC"
    """IANA name."""
    alert_thresholds_percent: tuple[int, ...] = (80, 100)
    on_exceeded: Literal["Reject", "Downgrade", "Warn"] = "Reject"
    downgrade: Downgrade | None = None
    """With `on_exceeded` Downgrade; without it that is Reject."""
    boost: Boost | None = None
    status_on_reject: Literal[429, 402] = 429
    unsettled_age_out_seconds: int = Field(86_400, ge=1)
    """When money held for calls whose cost never became known is let go."""
