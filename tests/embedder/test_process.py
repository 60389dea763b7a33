"""The embedder as it runs: the real model, a real Redis, HTTP."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock_config.cache_layout import Shelves
from penstock_config.embedder import NEAREST_PATH, REMOVE_PATH, SIMILAR_PATH, VECTORS_PATH
from tests.embedder.process import EmbedderProcess, environment, running_embedder

SHELF = Shelves.of("main", "team-a", "chat", "0a").prefix
PLACE = {"shelf": SHELF, "partition": "aa"}
QUESTION = "How do I reset my PIN?"


def in_an_hour() -> int:
    return int(time.time() * 1000) + 3_600_000


@pytest.fixture
def embedder(
    embedder_python: Path, embedder_model: Path, redis_url: str, tmp_path: Path
) -> Iterator[EmbedderProcess]:
    with running_embedder(embedder_python, redis_url, tmp_path, model=embedder_model) as running:
        yield running


def keep(embedder: EmbedderProcess, name: str, text: str) -> None:
    body = {**PLACE, "name": name, "text": text, "expires_at_ms": in_an_hour()}
    assert embedder.post(VECTORS_PATH, body) == (200, {"kept": True})


def test_a_paraphrase_finds_what_was_kept_and_another_question_does_not(
    embedder: EmbedderProcess,
) -> None:
    keep(embedder, "t:1", QUESTION)
    keep(embedder, "t:2", "What is the capital of France?")
    status, answer = embedder.post(NEAREST_PATH, {**PLACE, "text": "how can I reset my PIN"})
    assert status == 200
    best, *_ = answer["matches"]
    assert best["name"] == "t:1"
    assert best["similarity"] > 0.95
    _, answer = embedder.post(NEAREST_PATH, {**PLACE, "text": "Is it raining?", "least": 0.5})
    assert answer == {"matches": []}


def test_what_is_similar_is_found_and_removed_in_all_partitions(embedder: EmbedderProcess) -> None:
    keep(embedder, "t:1", QUESTION)
    body = {"shelf": SHELF, "text": QUESTION, "least": 0.99}
    status, answer = embedder.post(SIMILAR_PATH, body)
    assert status == 200
    assert [(m["name"], m["partition"]) for m in answer["matches"]] == [("t:1", "aa")]
    assert answer["complete"]
    assert embedder.post(REMOVE_PATH, {"shelf": SHELF, "names": ["t:1"]}) == (200, {"removed": 1})
    assert embedder.post(SIMILAR_PATH, body) == (200, {"matches": [], "complete": True})


def test_one_that_is_started_anew_remembers_by_redis(
    embedder: EmbedderProcess,
    embedder_python: Path,
    embedder_model: Path,
    redis_url: str,
    tmp_path: Path,
) -> None:
    keep(embedder, "t:1", QUESTION)
    assert embedder.stop() == 0
    folder = tmp_path / "next"
    with running_embedder(embedder_python, redis_url, folder, model=embedder_model) as another:
        _, answer = another.post(NEAREST_PATH, {**PLACE, "text": QUESTION, "least": 0.99})
        assert [match["name"] for match in answer["matches"]] == ["t:1"]
        assert QUESTION not in another.log.read_text()


def test_its_libraries_tell_nobody_that_it_runs(
    embedder_python: Path, embedder_model: Path
) -> None:
    """onnxruntime reads this as it is loaded."""
    code = (
        "import os, sys; from pathlib import Path; from penstock_embedder.encoding import onnx;"
        "assert 'onnxruntime' not in sys.modules; onnx._session(Path(sys.argv[1]));"
        "assert 'onnxruntime' in sys.modules; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    command = [str(embedder_python), "-c", code, str(embedder_model)]
    done = subprocess.run(command, env=environment(), check=True, capture_output=True, timeout=60)
    assert done.stdout == b"1\n"


@pytest.mark.parametrize(("words", "status"), [(254, 200), (255, 422)])
def test_the_window_is_256_tokens_with_the_marks_at_both_ends(
    embedder: EmbedderProcess, words: int, status: int
) -> None:
    body = {**PLACE, "text": " ".join(["card"] * words)}
    assert embedder.post(NEAREST_PATH, body)[0] == status
