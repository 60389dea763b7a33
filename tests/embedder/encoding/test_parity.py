"""Both backends decide as sentence-transformers does, on real questions."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.embedder.process import ROOT, environment
from tests.eval.cache.natural import excerpt

QUERIES = 300


def queries() -> list[str]:
    """Of BANKING77 (Casanueva et al. 2020, CC BY 4.0), as far as they lie in the repository."""
    texts = dict.fromkeys(each.text for each in excerpt() if each.source == "banking77")
    return list(texts)[:QUERIES]


def has_torch(python: Path) -> bool:
    command = [str(python), "-c", "import importlib.util as u; exit(not u.find_spec('torch'))"]
    return subprocess.run(command, check=False).returncode == 0


@pytest.mark.slow
def test_backends_decide_as_sentence_transformers_does(
    embedder_python: Path, embedder_model: Path
) -> None:
    """Cosine to the reference at least 0.9999, and the same pairs at the shipped threshold,
    whatever a text is batched with."""
    if not has_torch(embedder_python):
        pytest.skip("no torch beside the embedder: see requirements/torch.txt")
    texts = queries()
    assert len(texts) == QUERIES
    done = subprocess.run(
        [str(embedder_python), "-m", "tests.embedder.encoding.parity", str(embedder_model)],
        input=json.dumps(texts),
        env={**environment(), "PYTHONPATH": f"{ROOT / 'sidecar'}:{ROOT}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("built_is_exported"), "the graph is the same with and without an export"
    assert set(found) == {"onnx", "torch"}
    for name, compared in found.items():
        assert compared["pairs"] >= 20, "too few to tell anything"
        assert compared["decided_otherwise"] == 0, name
        assert compared["least_cosine"] >= 0.9999, name
        assert compared["least_length"] == pytest.approx(1, abs=1e-5)
