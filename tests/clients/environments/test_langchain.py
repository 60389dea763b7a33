"""LangChain, on its own OpenAI client and in its own environment, over providers of each kind."""

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import pytest

from penstock_cli.stub import Behaviour, Ok, Status, StubProvider, Tokens, ToolCall
from tests.clients.embeddings.embedders import running_embedders
from tests.clients.environments.environment import ROOT, python_of
from tests.clients.house import House, running_house

APP: Final = ROOT / "tests" / "clients" / "environments" / "langchain_app.py"
ENVIRONMENT: Final = {"LANGSMITH_TRACING": "false", "NO_PROXY": "*"}
CALLS: Final = Ok(
    "",
    tool_calls=(
        ToolCall("weather", '{"town":"Ulm"}', "call_1"),
        ToolCall("weather", '{"town":"Bern"}', "call_2"),
    ),
)
TOWNS: Final = [{"town": "Ulm"}, {"town": "Bern"}]
SPOKEN: Final = Ok("All is well.", usage=Tokens(7, 3))
TRIED: Final[dict[str, tuple[tuple[Behaviour, ...], object]]] = {
    "chat": ((SPOKEN,), ["All is well.", 7]),
    "stream": ((SPOKEN,), ["All is well.", 3]),
    "tools": ((CALLS, Ok("Sun in both.")), [TOWNS, "Sun in both."]),
    "streamed_tools": ((CALLS,), TOWNS),
    "schema": ((Ok('{"name": "Ulm"}'),), {"name": "Ulm"}),
    "image": ((Ok("A point."),), "A point."),
    "responses": ((SPOKEN,), "All is well."),
    "error": ((Status(400, "No."),), [400, "No."]),
    "retry": (
        (Status(429, headers={"retry-after-ms": "1"}), SPOKEN),
        "All is well.",
    ),
}
"""What the provider does for each, and what the application hears."""


async def _run(*arguments: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        str(python_of("langchain")),
        "-P",
        str(APP),
        *arguments,
        env=ENVIRONMENT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return json.loads(out)


def _provider(house: House, tier: str) -> StubProvider:
    return {"claude": house.anthropic, "gpt": house.openai, "llama": house.ollama}[tier]


@pytest.mark.parametrize("tier", ["gpt", "claude", "llama"])
async def test_an_application_notices_nothing(tmp_path: Path, tier: str) -> None:
    async with running_house(tmp_path) as house:
        provider = _provider(house, tier)
        for behaviours, _ in TRIED.values():
            provider.queue(*behaviours)
        heard = await _run(f"{house.url}/v1", tier, *TRIED)
    assert heard == {name: expected for name, (_, expected) in TRIED.items()}
    assert len(provider.requests) == sum(len(behaviours) for behaviours, _ in TRIED.values())


@pytest.mark.parametrize("tier", ["gpt", "gem", "llama"])
async def test_its_vectors_come_from_every_provider(
    tmp_path: Path, redis_url: str, tier: str
) -> None:
    async with running_embedders(tmp_path, redis_url) as here:
        url = f"http://localhost:{here.ports.application}/v1"
        [first, second] = (await _run(url, tier, "embeddings"))["embeddings"]
    assert first == second > 0
