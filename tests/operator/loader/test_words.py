"""What a server says, made fit to be shown; and names as it lists them."""

import pytest

from penstock_operator.loader.naming import canonical, is_path
from penstock_operator.loader.words import MAX_CHARACTERS, fit


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("pull model manifest: file does not exist", "pull model manifest: file does not exist"),
        ("two\n lines", "two lines"),
        ('Get "https://ab:cd@r.example/v2/x": EOF', 'Get "https://***@r.example/v2/x": EOF'),
        ("https://r.example/b?X-Amz-Signature=5e&y=1 gone", "https://r.example/b?*** gone"),
        ("ftp://token@host/x?y", "ftp://***@host/x?***"),
        ("Authorization: Bearer 0123456789abcdef0123", "Authorization: Bearer ***"),
        ("a token of 3.2 was unexpected", "a token of 3.2 was unexpected"),
        ("is it there? https://r.example/b no?", "is it there? https://r.example/b no?"),
    ],
)
def test_words_keep_their_sense_and_lose_secrets(said: str, shown: str) -> None:
    assert fit(said) == shown


def test_words_are_cut() -> None:
    shown = fit("no " * 1000)
    assert len(shown) == MAX_CHARACTERS
    assert shown.endswith("…")


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("llama3.2", "llama3.2:latest"),
        ("llama3.2:1b", "llama3.2:1b"),
        ("registry.ollama.ai/library/Phi3:mini", "phi3:mini"),
        ("acme/helper", "acme/helper:latest"),
        ("hf.co/bartowski/Llama-3.2-1B-GGUF:Q4_K_M", "hf.co/bartowski/llama-3.2-1b-gguf:q4_k_m"),
        ("https://hub.example:5000/team/m", "hub.example:5000/team/m:latest"),
    ],
)
def test_names_are_those_that_ollama_lists(name: str, listed: str) -> None:
    assert canonical(name) == canonical(listed) == listed


def test_a_from_that_begins_as_a_path_is_one() -> None:
    assert [is_path(x) for x in ("/models/x.gguf", "./x", "../x")] == [True] * 3
    assert [is_path(x) for x in ("x.gguf", "acme/x:1b")] == [False] * 2
