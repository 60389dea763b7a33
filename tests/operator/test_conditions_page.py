"""`docs/reference/conditions.md` lists every reason there is, under its condition, and no other."""

import re
from pathlib import Path
from typing import Final, get_args

from penstock_operator.compile.problem import ConditionType, Reason
from penstock_operator.status import (
    GOOD,
    PROGRAMMING,
    BudgetConditionType,
    BudgetReason,
    DeliveryConditionType,
    DeliveryReason,
    FleetConditionType,
    FleetReason,
    HealthConditionType,
    HealthReason,
    WarmingConditionType,
    WarmingReason,
)

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "conditions.md"
ROW: Final = re.compile(r"^\| `(\w+)` \| .+ \| .+ \|$", re.MULTILINE)


def sections() -> dict[str, list[str]]:
    """Reasons by condition."""
    parts = re.split(r"^## (\w+)$", PAGE.read_text(), flags=re.MULTILINE)[1:]
    return {name: ROW.findall(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}


def test_the_page_has_every_reason_once() -> None:
    listed = [reason for reasons in sections().values() for reason in reasons]
    in_status = {reason for reason, _ in GOOD.values()} | set(PROGRAMMING) | {"Invalid"}
    others = (BudgetReason, DeliveryReason, FleetReason, HealthReason, WarmingReason)
    of_others = {reason for other in others for reason in get_args(other)}
    assert sorted(listed) == sorted(set(get_args(Reason)) | in_status | of_others)


def test_the_page_has_a_section_for_every_condition() -> None:
    others = (
        BudgetConditionType,
        DeliveryConditionType,
        FleetConditionType,
        HealthConditionType,
        WarmingConditionType,
    )
    of_others = {each for other in others for each in get_args(other)}
    assert set(sections()) == {*get_args(ConditionType)} | of_others
