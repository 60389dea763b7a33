"""Money per period."""

from typing import Literal

from penstock_config.base import ConfigModel, MicroUsd, ObjectId
from penstock_config.policy import Selector


class Amounts(ConfigModel):
    """The most that may be spent in a calendar period. `None` is no bound."""

    daily: MicroUsd | None = None
    weekly: MicroUsd | None = None
    """Weeks begin on Monday (ISO 8601)."""
    monthly: MicroUsd | None = None
    total: MicroUsd | None = None


class Budget(ConfigModel):
    """`selector`, `tiers` and `providers` narrow it; all that are given must hold."""

    id: ObjectId
    provider_wide: bool = False
    """Counted in the group of its provider, over all namespaces (exactly one of `providers`)."""
    selector: Selector = Selector()
    tiers: tuple[ObjectId, ...] = ()
    providers: tuple[ObjectId, ...] = ()
    limits: Amounts
    time_zone: str = "UTC"
    """IANA name."""
    alert_thresholds_percent: tuple[int, ...] = (80, 100)
    on_exceeded: Literal["Reject", "Warn"] = "Reject"
    status_on_reject: Literal[429, 402] = 429
