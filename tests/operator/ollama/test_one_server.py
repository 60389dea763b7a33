"""One Ollama's numbers hold for all its models."""

from typing import Any

import pytest

from penstock_operator.api.ollama import Ollama
from penstock_operator.ollama.one_server import as_served, is_path


def served(*models: dict[str, Any]) -> dict[str, tuple[int, int]]:
    ollama = Ollama.model_validate({"models": models})
    return {each.name: (each.parallel, each.context_length) for each in as_served(ollama)}


def test_every_model_gets_the_largest_of_both_numbers() -> None:
    found = served(
        {"name": "a", "parallel": 4, "contextLength": 2048},
        {"name": "b", "parallel": 1, "contextLength": 8192},
    )
    assert found == {"a": (4, 8192), "b": (4, 8192)}


def test_a_model_made_of_a_file_keeps_its_context() -> None:
    found = served(
        {"name": "a", "contextLength": 8192},
        {
            "name": "g",
            "source": "gguf",
            "contextLength": 32768,
            "gguf": {"claimName": "c", "path": "x.gguf"},
        },
        {"name": "f", "source": "modelfile", "modelfile": {"from": "./x.gguf"}},
    )
    assert found == {"a": (1, 8192), "g": (1, 32768), "f": (1, 4096)}


def test_a_model_made_of_a_model_has_its_context_since_both_are_one_in_memory() -> None:
    found = served(
        {"name": "a", "contextLength": 8192},
        {"name": "m", "source": "modelfile", "modelfile": {"from": "a"}, "contextLength": 16384},
    )
    assert found == {"a": (1, 16384), "m": (1, 16384)}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/models/x", True),
        ("./x", True),
        ("../x.gguf", True),
        ("files/x.gguf", True),
        ("llama3.2:3b", False),
        ("hf.co/user/model-GGUF:model-IQ3_M.gguf", False),
        ("registry.example.com/team/model:tag", False),
    ],
)
def test_from_is_a_path_or_a_model(text: str, path: bool) -> None:
    assert is_path(text) is path
