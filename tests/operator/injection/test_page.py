"""The users' page has what the code has."""

from pathlib import Path
from typing import get_args

from penstock_operator.injection.choices import AMOUNTS, LOG_LEVELS, PORT_BOUNDS
from penstock_operator.injection.refusals import RefusalReason
from penstock_operator.injection.sidecar import QUIET_SECONDS

PAGE = (Path(__file__).parents[3] / "docs" / "injection.md").read_text("utf-8")


def test_every_reason_is_explained() -> None:
    for reason in get_args(RefusalReason):
        assert f"`{reason}`" in PAGE


def test_bounds_and_times_are_those_of_the_code() -> None:
    for _, _, least, most in AMOUNTS.values():
        assert f"{least} to {most}" in PAGE
    assert "{} to {}".format(*PORT_BOUNDS) in PAGE
    assert ", ".join(f"`{level}`" for level in LOG_LEVELS) in PAGE
    assert f"none came for {QUIET_SECONDS} seconds" in PAGE
