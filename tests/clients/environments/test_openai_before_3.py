"""The tests of the official `openai` client once more, with its former generation."""

import subprocess
from pathlib import Path

import pytest

from tests.clients.environments.environment import ROOT, beside, this_python

CLIENTS = (
    "tests/planes/test_chat.py",
    "tests/clients/embeddings/test_clients.py",
    "tests/clients/test_anthropic_through_openai.py",
    "tests/clients/test_gemini_through_openai.py",
    "tests/clients/test_openai_completions.py",
    "tests/clients/test_openai_responses.py",
    "tests/clients/test_openai_responses_errors.py",
)
HELPED = (
    "tests/clients/test_anthropic_through_openai.py::test_streamed_tool_calls",
    "tests/clients/test_gemini_through_openai.py"
    "::test_parallel_tools_and_their_signature_go_round[answered_in_a_stream]",
)
"""Its helper for streams refuses tools that are not strict, before it asks anybody."""
VERSION = "import openai; print(openai.__version__)"
PYTEST = (this_python(), "-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.mark.slow
def test_its_tests_pass(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    environment = beside("openai2", "openai", packages)
    version = subprocess.run(
        [this_python(), "-c", VERSION], env=environment, check=True, capture_output=True, text=True
    )
    assert version.stdout.startswith("2."), version.stdout
    run = subprocess.run(
        [*PYTEST, *CLIENTS, *(f"--deselect={test}" for test in HELPED)],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    assert "skipped" not in run.stdout.splitlines()[-1]
