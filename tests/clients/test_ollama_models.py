"""Models as the official `ollama` client sees them, and what becomes of its wish to change them."""

import ollama
import pytest

from tests.clients.house import House
from tests.clients.ollama_given import HI, asked


async def test_an_unknown_model_is_404(ollama_client: ollama.AsyncClient) -> None:
    """Upon which applications pull it, and hear who may."""
    with pytest.raises(ollama.ResponseError) as caught:
        await ollama_client.chat("nope", HI)
    assert caught.value.status_code == 404
    with pytest.raises(ollama.ResponseError, match="the platform says") as caught:
        await ollama_client.pull("nope")
    assert caught.value.status_code == 403


async def test_models_are_listed_and_shown(ollama_client: ollama.AsyncClient) -> None:
    models = (await ollama_client.list()).models
    names = [model.model for model in models]
    assert {"llama", "gpt", "claude", "any", "opus", "auto"} <= set(names)
    assert all(model.digest and len(model.digest) == 64 for model in models)
    shown = await ollama_client.show("gpt")
    assert shown.capabilities == ["completion", "tools", "vision", "thinking"]
    assert shown.modelinfo == {
        "general.architecture": "penstock",
        "general.basename": "gpt",
        "penstock.context_length": 100_000,
    }
    assert list((await ollama_client.ps()).models) == []


async def test_models_are_changed_by_somebody_else(ollama_client: ollama.AsyncClient) -> None:
    blob = "tests/clients/__init__.py"
    for change in (
        ollama_client.pull("llama3.2"),
        ollama_client.push("llama3.2"),
        ollama_client.create("mine", from_="llama3.2"),
        ollama_client.copy("gpt", "mine"),
        ollama_client.delete("gpt"),
        ollama_client.create_blob(blob),
    ):
        with pytest.raises(ollama.ResponseError, match="LLMProvider") as caught:
            await change
        assert caught.value.status_code == 403


async def test_to_load_a_model_asks_no_provider(
    house: House, ollama_client: ollama.AsyncClient
) -> None:
    assert (await ollama_client.generate("llama:latest", keep_alive=-1)).done_reason == "load"
    assert (await ollama_client.chat("llama", [])).done_reason == "load"
    parts = [
        part async for part in await ollama_client.generate("llama", keep_alive=0, stream=True)
    ]
    assert [part.done_reason for part in parts] == ["unload"]
    assert asked(house) == []
