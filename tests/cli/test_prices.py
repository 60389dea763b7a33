"""`penstock prices`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from penstock_cli.price_sources import price_list
from penstock_operator.catalogue.prices import PriceList, parse, render, shipped
from tests.cli.conftest import Penstock

TODAY = date(2026, 11, 21)
PROVIDER = """\
apiVersion: penstock.dev/v1alpha1
kind: LLMProvider
metadata: {name: cloud, namespace: shop}
spec:
  preset: openai
  models:
    - name: gpt-4o
      price: {inputPerMillion: "2.50", outputPerMillion: "10.00", cachedInputPerMillion: "1.250"}
    - name: cheap
      upstreamName: gpt-4o-mini
      price: {inputPerMillion: "0.15", outputPerMillion: "0.30"}
    - name: gpt-5
    - name: ours
"""


def litellm(**models: dict[str, Any]) -> str:
    """Their map: `name=fields`, of OpenAI's chat models unless the fields say otherwise."""
    return json.dumps(
        {
            "sample_spec": {"litellm_provider": "one of ...", "input_cost_per_token": 0.0},
            **{
                name.replace("__", "/"): {"litellm_provider": "openai", "mode": "chat", **fields}
                for name, fields in models.items()
            },
        }
    )


PLAIN = {"input_cost_per_token": 7.5e-08, "output_cost_per_token": 3e-07}


def of_litellm(**models: dict[str, Any]) -> PriceList:
    return price_list(litellm(plain=PLAIN, **models).encode(), "their map", TODAY)


def test_list_prints_the_list_with_its_date_and_source(penstock: Penstock) -> None:
    ended = penstock("prices", "list", "--provider", "anthropic")
    assert ended.code == 0
    assert "claude-sonnet-4-5" in ended.out
    assert "gpt-4o" not in ended.out
    assert str(shipped().date) in ended.out
    assert "LiteLLM" in ended.out


def test_list_as_json_has_every_model(penstock: Penstock) -> None:
    document = penstock("prices", "list", "--json").document
    assert len(document["models"]) == sum(map(len, shipped().providers.values()))


def test_a_provider_without_prices_is_said_by_the_exit_code(penstock: Penstock) -> None:
    assert penstock("prices", "list", "--provider", "vllm").code == 1


def test_show_finds_a_model_at_each_provider(penstock: Penstock) -> None:
    document = penstock("prices", "show", "openai/gpt-oss-120b", "--json").document
    assert {each["provider"] for each in document["models"]} == {"groq", "together"}
    one = penstock("prices", "show", "openai/gpt-4o", "--json").document["models"]
    assert [each["price"]["inputPerMillion"] for each in one] == ["2.5"]
    assert penstock("prices", "show", "nobody-has-it").code == 1


def test_show_tells_of_long_contexts(penstock: Penstock) -> None:
    assert "above 200000 tokens" in penstock("prices", "show", "gemini-2.5-pro").out


def test_check_names_what_differs_and_what_is_unset(penstock: Penstock, tmp_path: Path) -> None:
    path = tmp_path / "provider.yaml"
    path.write_text(PROVIDER)
    ended = penstock("prices", "check", "-f", path, "--json")
    found = [(p["reason"], p["line"], p["message"]) for p in ended.document["problems"]]
    assert ended.code == 1
    assert [(reason, line) for reason, line, _ in found] == [
        ("PriceDiffers", 11),
        ("PriceDiffers", 11),
        ("PriceUnset", 12),
    ]
    assert found[0][2] == "cheap: cachedInputPerMillion is unset, listed 0.075"
    assert found[1][2] == "cheap: outputPerMillion is 0.3, listed 0.6"
    assert "1.25" in found[2][2]


def test_check_is_content_with_equal_prices(penstock: Penstock, tmp_path: Path) -> None:
    path = tmp_path / "provider.yaml"
    path.write_text("\n".join(PROVIDER.splitlines()[:8]))
    ended = penstock("prices", "check", "-f", path)
    assert (ended.code, ended.out.startswith("0 findings")) == (0, True)


def test_check_asks_no_price_of_a_free_plan(penstock: Penstock, tmp_path: Path) -> None:
    path = tmp_path / "provider.yaml"
    free = "  preset: groq\n  plan: Free\n  models: [{name: openai/gpt-oss-20b}, {name: %s}]\n"
    head = PROVIDER[: PROVIDER.index("  preset:")]
    path.write_text(head + free % "openai/gpt-oss-120b")
    assert penstock("prices", "check", "-f", path).code == 0
    path.write_text(head + (free % "qwen/qwen3.8-27b"))  # has a price, and is not in the plan
    assert "qwen/qwen3.8-27b has no price" in penstock("prices", "check", "-f", path).out


def test_refresh_writes_a_list_and_tells_what_changed(penstock: Penstock, tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs.json", tmp_path / "ours.json"
    theirs.write_text(litellm(m=PLAIN, gone=PLAIN))
    assert penstock("prices", "refresh", theirs, "-o", ours).code == 0
    theirs.write_text(litellm(m={**PLAIN, "output_cost_per_token": 4e-07}, new=PLAIN))
    ended = penstock("prices", "refresh", theirs, "-o", ours)
    assert ended.out.splitlines()[:3] == [
        "- openai/gone",
        "~ openai/m: outputPerMillion 0.3 -> 0.4",
        "+ openai/new",
    ]
    listed = penstock("prices", "list", "--prices", ours, "--json").document["models"]
    assert [each["model"] for each in listed] == ["m", "new"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ours.json", "theirs.json"]


def test_refresh_takes_a_list_of_ours_as_it_stands(penstock: Penstock, tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs.json", tmp_path / "ours.json"
    theirs.write_text(render(shipped()))
    ended = penstock("prices", "refresh", theirs, "-o", ours, "--json")
    assert ended.document == {"date": str(shipped().date), "file": str(ours), "changes": []}
    assert parse(ours.read_bytes()) == shipped()


@contextmanager
def serving(body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = body if self.path == "/prices" else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            self.wfile.write(found)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_refresh_reads_from_a_url(penstock: Penstock, tmp_path: Path) -> None:
    with serving(litellm(m=PLAIN).encode()) as url:
        ended = penstock("prices", "refresh", f"{url}/prices", "-o", tmp_path / "ours.json")
        assert ended.code == 0
        missing = penstock("prices", "refresh", f"{url}/nothing", "-o", tmp_path / "none.json")
    assert (missing.code, "Not Found" in missing.err) == (2, True)
    assert parse((tmp_path / "ours.json").read_bytes()).source == f"{url}/prices"
    assert not (tmp_path / "none.json").exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "not JSON", '{"format": 1}', '{"a": {}}', "1e999"]
)
def test_what_is_no_price_list_changes_nothing(
    penstock: Penstock, tmp_path: Path, text: str
) -> None:
    theirs, ours = tmp_path / "theirs.json", tmp_path / "ours.json"
    theirs.write_text(text)
    ours.write_text(render(shipped()))
    ended = penstock("prices", "refresh", theirs, "-o", ours)
    assert ended.code == 2
    assert str(theirs) in ended.err
    assert len(ended.err.splitlines()) == 1
    assert parse(ours.read_bytes()) == shipped()


def test_a_wrong_file_is_said_in_one_line(penstock: Penstock, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    for path in (wrong, tmp_path / "none.json"):
        ended = penstock("prices", "list", "--prices", path)
        assert (ended.code, str(path) in ended.err) == (2, True)
        assert len(ended.err.splitlines()) == 1


def test_prices_are_converted_exactly() -> None:
    """7.5e-08 is no binary fraction: read as text, it is 0.075 a million."""
    price = of_litellm().providers["openai"]["plain"].price
    assert (price.input_per_million, price.output_per_million) == ("0.075", "0.3")


def test_what_cannot_be_said_exactly_is_rounded_up() -> None:
    model = {**PLAIN, "input_cost_per_token": 1.0000001e-13}
    assert of_litellm(m=model).providers["openai"]["m"].price.input_per_million == "0.000001"


def test_every_class_of_tokens_is_taken_over() -> None:
    model = {
        "litellm_provider": "gemini",
        "input_cost_per_token": 1e-06,
        "input_cost_per_token_above_200k_tokens": 2e-06,
        "input_cost_per_token_above_500k_tokens": 3e-06,
        "output_cost_per_token": 1e-05,
        "output_cost_per_token_above_500k_tokens": 2e-05,
        "cache_read_input_token_cost": 1e-07,
        "cache_creation_input_token_cost": 1.25e-06,
        "cache_creation_input_token_cost_above_1hr": 2e-06,
        "output_cost_per_reasoning_token": 3e-05,
        "input_cost_per_image": 0.001315,
        "max_input_tokens": 1_000_000,
        "max_output_tokens": 65_536,
    }
    found = of_litellm(gemini__m=model).providers["gemini"]["m"]
    assert found.model_dump(mode="json", by_alias=True, exclude_unset=True) == {
        "price": {
            "inputPerMillion": "1",
            "outputPerMillion": "10",
            "cachedInputPerMillion": "0.1",
            "cacheWritePerMillion": "1.25",
            "cacheWrite1hPerMillion": "2",
            "reasoningPerMillion": "30",
            "perImage": "0.001315",
            "longContext": {
                "aboveTokens": 200_000,
                "inputPerMillion": "3",
                "outputPerMillion": "20",
                "cachedInputPerMillion": "0.1",
                "cacheWritePerMillion": "1.25",
                "cacheWrite1hPerMillion": "2",
                "reasoningPerMillion": "30",
            },
        },
        "contextWindow": 1_000_000,
        "maxOutputTokens": 65_536,
        "capabilities": ["chat"],
    }


@pytest.mark.parametrize(
    ("fields", "capabilities", "output"),
    [
        ({}, ("chat",), "0.3"),
        (
            {"supports_vision": True, "supports_function_calling": True},
            ("chat", "tools", "vision"),
            "0.3",
        ),
        (
            {"supports_response_schema": True, "supports_reasoning": True},
            ("chat", "json", "reasoning"),
            "0.3",
        ),
        ({"supports_vision": False, "supports_reasoning": "yes"}, ("chat",), "0.3"),
        ({"mode": "responses", "supports_vision": True}, (), "0.3"),
        ({"mode": "embedding", "output_cost_per_token": 0}, ("embeddings",), "0"),
    ],
)
def test_what_a_model_can_is_taken_over(
    fields: dict[str, Any], capabilities: tuple[str, ...], output: str
) -> None:
    found = of_litellm(m={**PLAIN, **fields}).providers["openai"]["m"]
    assert (found.capabilities, found.price.output_per_million) == (capabilities, output)


@pytest.mark.parametrize(
    "fields",
    [
        {"input_cost_per_token": 0},
        {"output_cost_per_token": 0},
        {"input_cost_per_token": -1e-06},
        {"input_cost_per_token": "1e-06"},
        {"input_cost_per_token": True},
        {"mode": "completion"},
        {"litellm_provider": "nobody"},
        {"output_cost_per_image_token": 3e-05},
        {"tiered_pricing": []},
        {"deprecation_date": "2026-11-21"},
    ],
)
def test_what_has_no_price_by_the_token_is_left_out(fields: dict[str, Any]) -> None:
    """A price of 0 there means unknown."""
    assert [*of_litellm(m={**PLAIN, **fields}).providers["openai"]] == ["plain"]


def test_models_that_search_by_themselves_are_left_out() -> None:
    found = of_litellm(**{"gpt-search-api": PLAIN, "o3-deep-research": PLAIN})
    assert [*found.providers["openai"]] == ["plain"]
