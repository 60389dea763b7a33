"""`python -m penstock_agent` from outside: exit codes, and what is said."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PENSTOCK_", "KUBE"))}
    return subprocess.run(
        [sys.executable, "-m", "penstock_agent", *arguments],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_names_the_settings() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "PENSTOCK_NODE_NAME" in done.stdout


@pytest.mark.parametrize("environment", [{}, {"PENSTOCK_NODE_NAME": "Not a node"}])
def test_a_wrong_setting_is_one_line_and_code_2(environment: dict[str, str]) -> None:
    done = run(**environment)
    assert done.returncode == 2
    assert done.stderr.startswith("penstock-agent: PENSTOCK_NODE_NAME")
    assert done.stderr.count("\n") == 1


def test_without_access_it_says_so_and_ends_with_code_1(tmp_path: Path) -> None:
    done = run(PENSTOCK_NODE_NAME="n", KUBECONFIG=str(tmp_path / "none"))
    assert done.returncode == 1
    (line,) = map(json.loads, done.stderr.splitlines())
    assert line["event"] == "process.failed"
    assert "set KUBECONFIG" in line["error"]


def test_an_address_that_is_not_ours_is_code_1(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
                "users": [{"name": "u", "user": {"token": "hush"}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )
    done = run(
        PENSTOCK_NODE_NAME="n",
        PENSTOCK_KUBECONFIG=str(kubeconfig),
        PENSTOCK_PROBE_HOST="203.0.113.1",
    )
    assert done.returncode == 1
    assert "OSError" in done.stderr
    assert "hush" not in done.stderr
