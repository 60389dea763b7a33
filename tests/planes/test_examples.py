"""What `examples/` say of the shop's assistant is what a sidecar does, with scripted providers."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from penstock_cli.stub import Ok
from penstock_config.credentials import RedisAccess
from penstock_config.provider import Provider
from penstock_operator.compile.compiler import compile_snapshot
from penstock_operator.compile.gather import snapshot_of
from tests.planes.plane import Plane, chat
from tests.sidecar.http.edge import Response

EXAMPLES: Final = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
SHOP: Final = "shop"
HARD: Final = {"x-penstock-task": "coding", "x-penstock-complexity": "expert"}
BOUNDS: Final = ("max_tokens", "max_completion_tokens", "num_predict")
EASY: Final = {"x-penstock-task": "chat", "x-penstock-complexity": "simple"}


async def publish(plane: Plane) -> None:
    """The examples as they compile, but for where providers are, to a pod of the assistant's."""
    documents = [d for path in EXAMPLES for d in yaml.safe_load_all(path.read_text("utf-8"))]
    snapshot = snapshot_of(
        documents, cluster="test", scope_keys={SHOP: "scope"}, loopback_allowed=True, redis=None
    )
    compiled = compile_snapshot(snapshot)
    config, credentials = compiled.configs[SHOP], compiled.credentials[SHOP]
    providers = tuple(here_is(each, plane.main.url) for each in config.providers)
    here = config.model_copy(update={"providers": providers})
    assert plane.redis_url
    (plane.folder / "labels").write_text('app="assistant"\n')
    redis = RedisAccess(url=plane.redis_url)
    await plane.publish(here, credentials.model_copy(update={"redis": redis}))


def here_is(provider: Provider, url: str) -> Provider:
    """All are the same stub; what is not Ollama's speaks as OpenAI does."""
    local = provider.type == "ollama"
    way: dict[str, Any] = {
        "type": "ollama" if local else "openai",
        "base_url": url if local else f"{url}/v1",
        "api_version": None,
        "entra": None,
        "proxy_url": None,
        "needs_key": provider.needs_key,
    }
    return provider.model_copy(update=way)


async def ask(plane: Plane, name: str, **headers: str) -> Response:
    answer = await plane.ask(chat() | {"model": name}, **headers)
    assert answer.status == 200, answer.body
    return answer


@pytest.mark.parametrize(
    ("name", "headers", "tier"),
    [
        ("auto", EASY, "fast"),
        ("auto", HARD, "quality"),
        ("auto:simple", {"x-penstock-task": "chat"}, "fast"),
        ("auto", {"x-penstock-task": "coding", "x-penstock-complexity": "simple"}, "balanced"),
        ("gpt-3.5-turbo", HARD, "fast"),
        ("balanced", HARD, "balanced"),
        ("auto", {"x-feature": "contract-review", **EASY}, "quality"),
    ],
)
async def test_a_request_goes_to_the_tier_that_the_example_names(
    plane: Plane, name: str, headers: dict[str, str], tier: str
) -> None:
    await publish(plane)
    answer = await ask(plane, name, **headers)
    assert answer.headers["x-penstock-tier"] == tier


@pytest.mark.parametrize(
    ("complexity", "model"),
    [
        ("simple", "gpt-oss-120b"),
        ("medium", "gpt-oss-120b"),
        ("complex", "gpt-4.1"),
        ("expert", "gpt-4.1"),
    ],
)
async def test_the_floors_of_the_example_ask_for_more_the_harder_it_is(
    plane: Plane, complexity: str, model: str
) -> None:
    await publish(plane)
    answer = await ask(plane, "balanced", **{"x-penstock-complexity": complexity})
    assert answer.headers["x-penstock-model"] == model


async def test_small_talk_is_kept_short(plane: Plane) -> None:
    await publish(plane)
    await ask(plane, "auto", **EASY)
    body = plane.main.requests[-1].body
    options = body.get("options")  # Ollama's
    told = {**body, **options} if isinstance(options, dict) else body
    (bound,) = (told[name] for name in BOUNDS if name in told)
    assert bound == 1024


@pytest.mark.parametrize(("complexity", "asked"), [("medium", 6), ("expert", 12)])
async def test_a_decision_is_discussed_by_as_many_models_as_it_is_hard(
    plane: Plane, complexity: str, asked: int
) -> None:
    """Within what a user may spend in a day, and never from the cache."""
    plane.main.always(Ok("1"))
    await publish(plane)
    for _ in range(2):
        headers = {"x-feature": "decision-7", "x-penstock-complexity": complexity}
        answer = await ask(plane, "auto", **headers)
        assert answer.headers["x-penstock-tier"] == "council"
        assert answer.headers["x-penstock-cache"] == "bypass"
        assert f"asked={asked}, " in answer.headers["x-penstock-ensemble"]
        assert "consensus=judge" in answer.headers["x-penstock-ensemble"]
        results = re.findall(r"result=(\w+)", answer.headers["x-penstock-ensemble-models"])
        assert len(results) == asked
        assert set(results) <= {"answered", "chosen", "overtaken"}
