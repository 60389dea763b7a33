"""What becomes of problems: a status, and news that are told once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from penstock_config.budget import Amounts, Budget
from penstock_config.schema import SidecarConfig
from penstock_operator.compile.problem import ObjectRef, Problem
from penstock_operator.handlers.inventory import Inventory, Seen
from penstock_operator.handlers.reporting import Report, Written, programming, report, uses
from tests.operator.handlers.bodies import budget

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
REF = ObjectRef("Budget", "shop", "money")
MISSING = Problem(REF, "ResolvedRefs", "RefNotFound", "LLMProvider shop/x: create it")
CONFLICT = Problem(REF, "Conflicted", "Outranked", "another rules")


def seen() -> Seen:
    inventory = Inventory()
    inventory.note_object(budget())
    return inventory.objects[REF]


def after(former: Seen, made: Report) -> Seen:
    """The object once the report is written."""
    documents: tuple[Mapping[str, object], ...] = tuple(each.document() for each in made.conditions)
    return replace(former, conditions=documents, observed_generation=former.generation)


def news(made: Report) -> list[tuple[str, str]]:
    return [(note.type, note.reason) for note in made.notes]


def test_the_first_report_of_a_good_object_is_written_and_is_no_news() -> None:
    made = report(seen(), (), "Programmed", NOW)
    assert made.changed
    assert made.notes == ()
    assert {c.type: c.status for c in made.conditions} == {
        "Accepted": "True",
        "ResolvedRefs": "True",
        "Programmed": "True",
        "Enforced": "True",
    }


def test_what_is_said_already_is_not_written_again() -> None:
    good = after(seen(), report(seen(), (), "Programmed", NOW))
    later = report(good, (), "Programmed", NOW + timedelta(hours=1))
    assert (later.changed, later.notes) == (False, ())


def test_a_new_generation_is_written_although_nothing_else_changed() -> None:
    good = after(seen(), report(seen(), (), "Programmed", NOW))
    assert report(replace(good, generation=2), (), "Programmed", NOW).changed


def test_a_condition_that_turns_bad_and_good_is_news_both_times() -> None:
    good = after(seen(), report(seen(), (), "Programmed", NOW))
    turned = report(good, (MISSING,), "Programmed", NOW + timedelta(minutes=1))
    assert news(turned) == [("Warning", "RefNotFound")]
    bad = after(good, turned)
    assert news(report(bad, (MISSING,), "Programmed", NOW + timedelta(minutes=2))) == []
    mended = report(bad, (), "Programmed", NOW + timedelta(minutes=3))
    assert news(mended) == [("Normal", "ResolvedRefs")]


def test_another_reason_is_news() -> None:
    bad = after(seen(), report(seen(), (MISSING,), "Programmed", NOW))
    other = replace(MISSING, reason="RefNotPermitted")
    assert news(report(bad, (other,), "Programmed", NOW)) == [("Warning", "RefNotPermitted")]


def test_a_conflict_is_told_when_it_comes_and_when_it_goes() -> None:
    good = after(seen(), report(seen(), (), "Programmed", NOW))
    conflicted = report(good, (CONFLICT,), "Programmed", NOW)
    assert news(conflicted) == [("Warning", "Outranked")]
    gone = report(after(good, conflicted), (), "Programmed", NOW)
    assert news(gone) == [("Normal", "NotConflicted")]
    assert "Conflicted" not in {each.type for each in gone.conditions}


@pytest.mark.parametrize("quiet", ["NotReferenced", "Suspended", "Pending"])
def test_what_is_nobodys_trouble_is_no_news(quiet: str) -> None:
    good = after(seen(), report(seen(), (), "Programmed", NOW))
    programmed = {"NotReferenced": "NotReferenced", "Suspended": "Suspended", "Pending": "Pending"}
    made = report(good, (), programmed[quiet], NOW)  # type: ignore[arg-type]  # one of the three
    assert made.changed
    assert made.notes == ()


def test_a_failed_write_tells_what_the_server_said_in_the_event() -> None:
    made = report(seen(), (), "WriteFailed", NOW, failure="403 quota exceeded")
    assert [note.message for note in made.notes] == ["403 quota exceeded"]


def test_a_new_leader_repeats_recent_bad_news_under_the_same_name() -> None:
    first = report(seen(), (MISSING,), "Programmed", NOW)
    bad = after(seen(), first)
    again = report(bad, (MISSING,), "Programmed", NOW + timedelta(minutes=1), first=True)
    assert again.notes == first.notes, "so that the API server refuses the second"
    late = report(bad, (MISSING,), "Programmed", NOW + timedelta(hours=1), first=True)
    assert late.notes == ()


def test_the_fault_of_an_object_that_does_not_parse_is_told() -> None:
    inventory = Inventory()
    inventory.note_object(budget(limits={"daily": "much"}))
    made = report(inventory.objects[REF], (), "NotReferenced", NOW)
    assert ("Warning", "InvalidSpec") in news(made)


def test_objects_are_used_where_a_configuration_holds_them() -> None:
    spent = Budget(id="shop/money", limits=Amounts())
    configs = {
        name: SidecarConfig(cluster="c", namespace=name, budgets=(spent,)) for name in ("a", "b")
    }
    assert uses(configs) == {("Budget", "shop/money"): frozenset({"a", "b"})}


@pytest.mark.parametrize(
    ("used_by", "written", "expected"),
    [
        ({"a", "b"}, Written(), "Programmed"),
        ({"a", "b"}, Written(failed={"b": "no"}), "WriteFailed"),
        ({"a", "b"}, Written(pending=frozenset("b")), "Pending"),
        (set(), Written(), "NotReferenced"),
        (set(), Written(pending=frozenset({"shop"})), "Pending"),
    ],
)
def test_programmed_means_written_everywhere(
    used_by: set[str], written: Written, expected: str
) -> None:
    assert programming(seen(), frozenset(used_by), written) == expected
