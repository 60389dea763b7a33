"""Budgets of the inventory become accounts of the ledger."""

from penstock_operator.handlers.accounts import Accounts
from penstock_operator.handlers.inventory import Inventory
from tests.operator.handlers.bodies import Body, budget, meta


def accounts(*bodies: Body) -> tuple[Accounts, Inventory]:
    inventory = Inventory()
    for body in bodies:
        inventory.note_object(body)
    return Accounts(inventory, "test"), inventory


def test_a_budget_of_a_namespace_has_one_book() -> None:
    made, _ = accounts(budget())
    ((account, seen),) = made.current()
    assert [book.group.state for book in account.books] == ["{test:n:shop}:state"]
    assert (account.uid, account.terms.limits.daily) == ("uid-money", 5_000_000)
    assert seen.ref == account.ref


def test_a_budget_of_providers_has_a_book_at_each() -> None:
    made, _ = accounts(budget(scope={"providers": [{"name": "a"}, {"name": "b"}]}))
    ((account, _),) = made.current()
    assert [(book.group.state, book.provider) for book in account.books] == [
        ("{test:p:shop/a}:state", "shop/a"),
        ("{test:p:shop/b}:state", "shop/b"),
    ]


def test_what_a_budget_wants_besides_is_kept() -> None:
    boost = {"amountUSD": "1", "until": "2999-01-01T00:00:00Z", "reason": "incident"}
    notify = {"webhookSecretRef": {"name": "hook", "key": "url"}}
    made, _ = accounts(budget(boost=boost, notify=notify))
    ((account, _),) = made.current()
    assert account.boost_reason == "incident"
    assert account.webhook is not None
    assert (account.webhook.name, account.webhook.key) == ("hook", "url")


def test_an_account_is_made_anew_when_its_budget_changed_and_only_then() -> None:
    made, inventory = accounts(budget())
    first = made.current()[0][0]
    inventory.note_object(budget() | {"status": {"periods": []}})
    assert made.current()[0][0] is first
    inventory.note_object(budget(generation=2, limits={"daily": "6"}))
    assert made.current()[0][0].terms.limits.daily == 6_000_000
    inventory.note_object(meta("Budget", "money"), gone=True)
    assert made.current() == ()


def test_of_a_budget_that_is_refused_its_limits_are_looked_at() -> None:
    made, _ = accounts(budget(onExceeded="Explode"))
    ((account, _),) = made.current()
    assert account.terms.limits.daily == 5_000_000


def test_other_kinds_are_no_accounts() -> None:
    made, _ = accounts(
        {**budget("llm"), "kind": "LLMProvider", "spec": {}}, budget(limits={"daily": "x"})
    )
    assert made.current() == ()
