"""`penstock explain`."""

from pathlib import Path

import pytest

from tests.cli.conftest import Penstock
from tests.cli.resources import write

CHEAPER = """\
  perUser: {weekly: "0.25"}
  onExceeded: Downgrade
  downgrade: {tier: {name: fast}, atPercent: 70}
"""


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


def test_a_budget_says_what_comes_before_its_end(penstock: Penstock, tmp_path: Path) -> None:
    write(tmp_path)
    with (tmp_path / "budget.yaml").open("a") as file:
        file.write(CHEAPER)
    ended = penstock("explain", "-f", tmp_path, "-m", "auto", "--json")
    (budget,) = ended.document["budgets"]
    assert (budget["limitsUSD"], budget["perUserUSD"]) == (
        {"daily": "1.500000"},
        {"weekly": "0.250000"},
    )
    assert budget["downgrade"] == {"tier": "shop/fast", "atPercent": 70}
    shown = penstock("explain", "-f", tmp_path, "-m", "auto").out
    assert "weekly per user" in shown
    assert "shop/fast from 70 %, then Downgrade" in shown


@pytest.mark.parametrize(
    ("exceeded", "told"), [("Reject", "price unknown: refused by a budget"), ("Warn", "unknown\n")]
)
def test_without_a_price_only_a_budget_that_refuses_says_no(
    penstock: Penstock, tmp_path: Path, exceeded: str, told: str
) -> None:
    write(tmp_path)
    provider = (tmp_path / "provider.yaml").read_text()
    (tmp_path / "provider.yaml").write_text(provider[: provider.index("      price")])
    with (tmp_path / "budget.yaml").open("a") as file:
        file.write(f"  onExceeded: {exceeded}\n")
    shown = penstock("explain", "-f", tmp_path, "-m", "auto").out
    assert told in "\n".join(map(str.rstrip, shown.splitlines()))


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


CHATTED = ("openai-chat", "openai-completions", "openai-responses", "anthropic-messages")
OTHERS = ("anthropic-count-tokens", "ollama-chat", "ollama-generate")


@pytest.mark.parametrize("api", CHATTED + OTHERS)
def test_it_explains_requests_of_every_api(penstock: Penstock, tmp_path: Path, api: str) -> None:
    ended = penstock(
        "explain", "-f", write(tmp_path), "-m", "auto", "-p", "Hello", "--api", api, "--json"
    )
    way = ended.document
    assert (ended.code, way["target"]) == (0, "tier:shop/fast")
    assert [c["candidate"] for c in way["candidates"]] == ["shop/mill/grind"]
    assert way["classification"]["task"] == "chat"


@pytest.mark.parametrize("api", ["openai-embeddings", "ollama-embed", "ollama-embeddings"])
def test_what_no_model_can_do_is_said_of_embeddings_too(
    penstock: Penstock, tmp_path: Path, api: str
) -> None:
    ended = penstock("explain", "-f", write(tmp_path), "-m", "auto", "-p", "Hello", "--api", api)
    assert ended.code == 1
    assert "can do embeddings" in " ".join(ended.out.split())


def test_an_api_that_nobody_speaks_ends_with_2_and_names_those_there_are(
    penstock: Penstock, tmp_path: Path
) -> None:
    ended = penstock("explain", "-f", write(tmp_path), "--api", "telnet")
    assert ended.code == 2
    assert "anthropic-messages" in ended.err


def test_it_tells_what_speaks_for_each_candidate(penstock: Penstock, tmp_path: Path) -> None:
    ended = penstock("explain", "-f", write(tmp_path), "-m", "auto", "-p", "Hello", "--json")
    (candidate,) = ended.document["candidates"]
    assert (candidate["strategy"], candidate["score"]) == ("Weighted", 1.0)
    assert 0 < float(candidate["costsAboutUSD"]) <= float(candidate["costsAtMostUSD"])


OWN = """\
apiVersion: penstock.dev/v1alpha1
kind: LLMProvider
metadata: {name: mill, namespace: shop}
spec:
  type: ollama
  models: [{name: grind, upstreamName: "llama3.1:8b"}]
  ollama:
    models: [{name: "llama3.1:8b", parallel: 3}]
    autoscaling: {min: 0, max: 2, onCold: Fallback}
"""


def test_of_models_that_we_run_it_tells_what_is_known_beforehand(
    penstock: Penstock, tmp_path: Path
) -> None:
    write(tmp_path)
    (tmp_path / "provider.yaml").write_text(OWN)
    ended = penstock("explain", "-f", tmp_path, "-m", "auto", "-p", "Hello", "--json")
    (candidate,) = ended.document["candidates"]
    managed = candidate["managed"]
    assert managed.pop("loadSeconds") > 0
    assert managed == {"mayBeCold": True, "onCold": "Fallback", "parallel": 3}


def test_a_floor_that_nobody_meets_is_shown(penstock: Penstock, tmp_path: Path) -> None:
    write(tmp_path)
    with (tmp_path / "tier.yaml").open("a") as file:
        file.write('  floors: [{complexity: simple, minQuality: "9.9"}]\n')
    asked = ("explain", "-f", tmp_path, "-m", "fast", "-p", "Hello")
    (drop,) = penstock(*asked, "--json").document["dropped"]
    assert (drop["kind"], drop["last"]) == ("quality", True)
    assert "less than 9.9" in drop["reason"]
    with (tmp_path / "tier.yaml").open("a") as file:
        file.write("  onNoFit: Reject\n")
    refused = penstock(*asked)
    assert refused.code == 1
    assert "400 no_model_fits" in refused.out
