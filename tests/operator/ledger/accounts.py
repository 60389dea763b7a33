"""Accounts for tests."""

from datetime import UTC, datetime
from typing import Any

from penstock_config.budget import Amounts, Budget
from penstock_operator.api.reference import SecretKeyReference
from penstock_operator.compile.problem import ObjectRef
from penstock_operator.ledger.account import Account, account_of

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
DAY, YESTERDAY, WEEK, MONTH = "20261121", "20261120", "2026W47", "202611"
USD = 1_000_000


def account(*entries: Budget, webhook: bool = False, name: str = "money", **terms: Any) -> Account:
    """Of `shop/money`: a daily limit of 5 USD unless `terms` or `entries` say else."""
    terms = {"limits": Amounts(daily=5 * USD), **terms}
    made = entries or (Budget(id=f"shop/{name}", **terms),)
    return account_of(
        ObjectRef("Budget", "shop", name),
        f"uid-{name}",
        3,
        datetime(2026, 1, 1, tzinfo=UTC),
        made,
        "test",
        boost_reason="incident 7" if made[0].boost else "",
        webhook=SecretKeyReference(name="hook", key="url") if webhook else None,
    )


def provider_wide(*providers: str, **terms: Any) -> tuple[Budget, ...]:
    """One entry for each provider."""
    limits = {"limits": Amounts(daily=5 * USD), **terms}
    return tuple(
        Budget(id="shop/money", provider_wide=True, providers=(id_,), **limits) for id_ in providers
    )
