"""What a loader is told: names, paths, and the order of loading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.api.llm_provider import LLMProviderSpec
from penstock_operator.ollama.workload.models import embedders, inside, models_file
from tests.operator.ollama.workload.plans import read


def test_the_largest_is_loaded_first_and_what_waits_to_be_asked_for_comes_last() -> None:
    planned = read("on-demand")
    file = models_file(planned.provider, planned.groups[0], planned.needs)
    assert [order.name for order in file.models] == ["b", "d", "c", "a"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("x.gguf", "/models/x.gguf"),
        ("./x.gguf", "/models/x.gguf"),
        ("/x.gguf", "/models/x.gguf"),
        ("/models/a/x.gguf", "/models/a/x.gguf"),
        ("../../etc/passwd", "/models/etc/passwd"),
        ("a/../../../x", "/models/x"),
    ],
)
def test_a_path_stays_in_its_volume(path: str, found: str) -> None:
    assert inside("/models", path) == found


@given(st.text("./ab", max_size=20))
def test_no_path_leaves_its_volume(path: str) -> None:
    found = inside("/gguf/claim", path)
    assert found.startswith("/gguf/claim/")
    assert ".." not in found.split("/")


def test_what_makes_text_too_is_no_embedder() -> None:
    spec = LLMProviderSpec.model_validate(
        {
            "type": "ollama",
            "baseURL": "http://ollama.models.svc:11434",
            "models": [
                {"name": "v", "upstreamName": "nomic-embed-text", "capabilities": ["embeddings"]},
                {"name": "both", "capabilities": ["chat", "embeddings"]},
                {"name": "chat"},
            ],
        }
    )
    assert embedders(spec) == {"nomic-embed-text:latest"}
