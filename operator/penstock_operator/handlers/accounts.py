"""Budgets of the inventory as the ledger's accounts."""

from typing import Final

from penstock_operator.api.budget import Budget
from penstock_operator.compile.budgets import build_budget
from penstock_operator.compile.problem import ObjectRef
from penstock_operator.compile.references import Catalogue
from penstock_operator.handlers.inventory import Inventory, Seen
from penstock_operator.ledger.account import Account, account_of

NOTHING: Final = Catalogue({}, {}, {}, {})
"""Where a budget leads matters to its problems and its downgrade, not to what is counted."""
Version = tuple[str, int, bool]


class Accounts:
    """Made anew only for Budgets that changed."""

    def __init__(self, inventory: Inventory, cluster: str) -> None:
        self._inventory = inventory
        self._cluster = cluster
        self._made: dict[ObjectRef, tuple[Version, Account | None]] = {}

    def current(self) -> tuple[tuple[Account, Seen], ...]:
        """Every Budget that sidecars could count, with what was last seen of it."""
        seen = self._budgets()
        self._made = {ref: made for ref, made in self._made.items() if ref in seen}
        found = []
        for ref, each in seen.items():
            version = (each.uid, each.generation, each.resource is None)
            if ref not in self._made or self._made[ref][0] != version:
                self._made[ref] = (version, self._account(each))
            if account := self._made[ref][1]:
                found.append((account, each))
        return tuple(found)

    def _budgets(self) -> dict[ObjectRef, Seen]:
        everything = self._inventory.objects.items()
        return {ref: seen for ref, seen in everything if ref.kind == Budget.kind}

    def _account(self, seen: Seen) -> Account | None:
        budget = seen.resource or seen.salvaged
        if not isinstance(budget, Budget):
            return None
        entries = build_budget(budget, NOTHING, {}, None).entries
        if not entries:
            return None
        boost, notify = budget.spec.boost, budget.spec.notify
        return account_of(
            seen.ref,
            seen.uid,
            seen.generation,
            budget.metadata.creation_timestamp,
            entries,
            self._cluster,
            boost_reason=boost.reason if boost else "",
            webhook=notify.webhook_secret_ref if notify else None,
        )
