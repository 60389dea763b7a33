"""`penstock explain`."""

from pathlib import Path

import pytest

from tests.cli.conftest import Penstock
from tests.cli.resources import write


def test_it_tells_the_whole_way(penstock: Penstock, tmp_path: Path) -> None:
    ended = penstock("explain", "-f", write(tmp_path), "-m", "auto", "-p", "Hello", "--json")
    way = ended.document
    assert ended.code == 0
    assert (way["policy"], way["user"]) == ("shop/front", "anonymous")
    assert (way["rule"], way["target"]) == ("auto", "tier:shop/fast")
    assert [c["candidate"] for c in way["candidates"]] == ["shop/mill/grind"]
    assert float(way["candidates"][0]["costsAtMostUSD"]) > 0
    assert way["limits"] == [{"name": "fair (per User)", "limits": {"requests_per_minute": 5}}]
    assert [b["budget"] for b in way["budgets"]] == ["shop/money"]


def test_a_rule_that_matches_is_named(penstock: Penstock, tmp_path: Path) -> None:
    ended = penstock("explain", "-f", write(tmp_path), "-m", "essay-long", "--user", "eve")
    assert ended.code == 0
    assert "essays, to tier:shop/fast" in ended.out
    assert "eve" in ended.out


def test_a_refusal_says_why_and_ends_with_1(penstock: Penstock, tmp_path: Path) -> None:
    ended = penstock("explain", "-f", write(tmp_path), "-m", "unheard-of")
    assert ended.code == 1
    assert "404 model_not_found" in ended.out


@pytest.mark.parametrize(
    "options", [("-l", "app=other"), ("-H", "no colon"), ("-n", "nowhere"), ("-l", "app")]
)
def test_a_question_that_cannot_be_asked_ends_with_2(
    penstock: Penstock, tmp_path: Path, options: tuple[str, str]
) -> None:
    assert penstock("explain", "-f", write(tmp_path), *options).code == 2
