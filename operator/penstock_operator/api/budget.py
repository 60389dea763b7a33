"""`Budget`: how much may be spent in a period, by whom, and what happens beyond it."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, Field

from penstock_operator.api.base import ApiModel, Kind, UsdAmount
from penstock_operator.api.lists import BY_NAME, DISTINCT, KeyedBy
from penstock_operator.api.reference import LabelSelector, ObjectReference, SecretKeyReference
from penstock_operator.api.rules import Rule, at_least_one, distinct, sibling
from penstock_operator.api.status import CONDITION_COLUMNS, Status

_AMOUNTS = ("daily", "weekly", "monthly", "total")


class BudgetScope(ApiModel):
    """Whose spending counts. All that is given must hold; nothing given is the whole namespace."""

    invariants: ClassVar[tuple[Rule, ...]] = (distinct("tiers"), distinct("providers"))

    pods: LabelSelector | None = Field(
        None, description="Pods of this namespace. Default: all of them."
    )
    tiers: tuple[ObjectReference, ...] = Field(
        (), max_length=32, description="Spending by these ModelTiers. Default: all."
    )
    providers: tuple[ObjectReference, ...] = Field(
        (),
        max_length=32,
        description="Spending at these LLMProviders. Providers of this namespace and nothing else"
        " in the scope: the spending of every namespace that uses them, and each provider may"
        " spend the whole amount. Default: all.",
    )


class Amounts(ApiModel):
    """US dollars by calendar period."""

    invariants: ClassVar[tuple[Rule, ...]] = (at_least_one(*_AMOUNTS),)

    daily: UsdAmount | None = Field(None, description="From midnight. Default: no bound.")
    weekly: UsdAmount | None = Field(None, description="From Monday. Default: no bound.")
    monthly: UsdAmount | None = Field(None, description="From the 1st. Default: no bound.")
    total: UsdAmount | None = Field(None, description="For ever. Default: no bound.")


class Downgrade(ApiModel):
    """Cheaper models before the money is gone."""

    tier: ObjectReference = Field(description="The ModelTier that serves from there on.")
    at_percent: int = Field(80, ge=1, le=99, description="From this part of a limit. Default: 80.")


class Boost(ApiModel):
    """More money for an incident."""

    amount_usd: UsdAmount = Field(
        alias="amountUSD", description="Added to each limit, in US dollars."
    )
    until: AwareDatetime = Field(description="When it ends.")
    reason: str = Field(min_length=1, max_length=256, description="Why, for the record.")


class Notify(ApiModel):
    """Who is told when a threshold is crossed."""

    webhook_secret_ref: SecretKeyReference = Field(
        description="Key of a Secret of this namespace that holds the webhook's URL."
    )


class BudgetSpec(ApiModel):
    """Whose spending, how much, and what then."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        at_least_one("limits", "perUser"),
        sibling("downgrade", "onExceeded", "Downgrade"),
    )

    scope: BudgetScope = Field(
        BudgetScope(), description="Whose spending counts. Default: the whole namespace's."
    )
    limits: Amounts | None = Field(
        None, description="US dollars, for all together. Default: no bound."
    )
    per_user: Amounts | None = Field(
        None, description="US dollars, for each user. Default: no bound."
    )
    time_zone: str = Field(
        "UTC",
        max_length=64,
        pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$",
        description="IANA time zone whose midnight counts, such as `Europe/Berlin`. Default: UTC.",
    )
    alert_thresholds_percent: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1000)], ...], DISTINCT
    ] = Field(
        (80, 100),
        max_length=16,
        description="Events are sent when spending crosses them. Default: [80, 100].",
    )
    on_exceeded: Literal["Reject", "Downgrade", "Warn"] = Field(
        "Reject",
        description="Reject: refused before it costs. Downgrade: cheaper before, free beyond, else"
        " refused. Warn: reported only. Default: Reject.",
    )
    downgrade: Downgrade | None = Field(None, description="With `onExceeded: Downgrade` only.")
    boost: Boost | None = Field(None, description="More money for an incident. Default: none.")
    status_on_reject: Literal[429, 402] = Field(
        429, description="HTTP status of a refusal. Default: 429."
    )
    unsettled_age_out_hours: int = Field(
        24,
        ge=1,
        le=744,
        description="When money held for calls whose cost never became known is let go."
        " Default: 24.",
    )
    notify: Notify | None = Field(None, description="Who is told. Default: nobody, Events alone.")


PeriodName = Literal["daily", "weekly", "monthly", "total"]
Label = Annotated[str, Field(min_length=1, max_length=16)]
"""Which day, week or month: `20261231`, `2026W53`, `202612`; `all` of `total`."""


class PeriodStatus(ApiModel):
    """Spending in the period that runs."""

    name: PeriodName = Field(description="Which period.")
    label: Label = Field(
        description="Which day, week or month: `20261231`, `2026W53`, `202612`, `all`."
    )
    provider: str | None = Field(
        None,
        max_length=507,
        description="Of a provider-wide budget: the provider whose figures these are. Of several"
        " it is the one where most was spent.",
    )
    limit: UsdAmount = Field(description="US dollars, boost included.")
    spent: UsdAmount = Field(description="US dollars that are settled.")
    reserved: UsdAmount = Field(description="US dollars held by requests in flight.")
    unsettled: UsdAmount = Field(description="US dollars held for calls of unknown cost.")
    remaining: UsdAmount = Field(description="US dollars left.")
    utilisation_percent: int = Field(
        ge=0, description="Spent, reserved and unsettled, of the limit."
    )
    resets_at: datetime | None = Field(None, description="When the period ends; not for `total`.")


class ProviderSpending(ApiModel):
    """What was spent at one of several providers that are counted apart."""

    provider: str = Field(max_length=507, description="Namespace and name of the provider.")
    period: PeriodName = Field(description="Which period.")
    label: Label = Field(description="Which day, week or month, as in `periods`.")
    spent: UsdAmount = Field(description="US dollars that are settled.")


class UserSpending(ApiModel):
    """What a user spent."""

    user: str = Field(max_length=256, description="The user.")
    spent: UsdAmount = Field(description="US dollars, in the longest period that has a limit.")


class Alert(ApiModel):
    """A threshold that was crossed: said once in each period."""

    period: PeriodName = Field(description="Which period.")
    label: Label = Field(description="Which day, week or month, as in `periods`.")
    percent: int = Field(ge=1, le=1000, description="The threshold.")
    limit: UsdAmount = Field(description="US dollars, when it was crossed, boost included.")
    spent: UsdAmount = Field(description="US dollars spent when it was seen, unsettled included.")
    time: datetime = Field(description="When it was seen.")
    told: bool = Field(description="Whether the Event was posted.")
    webhook: Literal["NotAsked", "Pending", "Delivered", "GivenUp"] = Field(
        description="Whether `notify` was told. Pending: it is tried for a day."
    )


class BudgetStatus(Status):
    """What is known of a budget."""

    periods: Annotated[tuple[PeriodStatus, ...], BY_NAME] = Field(
        (), max_length=4, description="Each period that has a limit."
    )
    providers: Annotated[tuple[ProviderSpending, ...], KeyedBy(("provider", "period"))] = Field(
        (), max_length=128, description="By provider, where the budget counts several apart."
    )
    top_users: Annotated[tuple[UserSpending, ...], KeyedBy(("user",))] = Field(
        (), max_length=20, description="Users who spent most."
    )
    alerts: Annotated[tuple[Alert, ...], KeyedBy(("period", "label", "percent"))] = Field(
        (), max_length=128, description="Thresholds crossed in the running and the last periods."
    )
    boost: Boost | None = Field(None, description="The boost in effect.")
    observed_time: datetime | None = Field(None, description="When these figures were read.")


class Budget(Kind):
    """How much may be spent in a period, by whom, and what happens beyond it."""

    kind: ClassVar[str] = "Budget"
    plural: ClassVar[str] = "budgets"
    short_names: ClassVar[tuple[str, ...]] = ("bud",)
    columns: ClassVar[tuple[tuple[str, str, str, int], ...]] = (
        ("Daily", "string", ".spec.limits.daily", 0),
        ("Monthly", "string", ".spec.limits.monthly", 0),
        ("Spent", "string", '.status.periods[?(@.name=="monthly")].spent', 0),
        ("Exhausted", "string", '.status.conditions[?(@.type=="Exhausted")].status', 0),
        *CONDITION_COLUMNS,
        ("On Exceeded", "string", ".spec.onExceeded", 1),
        ("Total", "string", ".spec.limits.total", 1),
    )
    status_type: ClassVar[type[BaseModel]] = BudgetStatus

    spec: BudgetSpec
