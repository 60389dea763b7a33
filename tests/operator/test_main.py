"""`python -m penstock_operator` from outside: exit codes, and what is said."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.operator.cluster.api_server import write_kubeconfig
from tests.ports import free_port


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PENSTOCK_", "KUBE"))}
    return subprocess.run(
        [sys.executable, "-m", "penstock_operator", *arguments],
        env={**kept, "PENSTOCK_PROBE_HOST": "127.0.0.1", "PENSTOCK_PROBE_PORT": "0", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_names_the_settings() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "PENSTOCK_PROVIDER_NAMESPACES" in done.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [("PENSTOCK_PROBE_PORT", "high"), ("PENSTOCK_LOG_LEVEL", "loud"), ("PENSTOCK_REDIS_URL", "x")],
)
def test_a_wrong_setting_is_one_line_and_code_2(name: str, value: str) -> None:
    done = run(**{name: value})
    assert done.returncode == 2
    assert done.stderr.startswith(f"penstock-operator: {name}")
    assert done.stderr.count("\n") == 1


def test_an_unknown_part_is_code_2() -> None:
    assert run("everything").returncode == 2


@pytest.mark.parametrize("part", ["operator", "injector"])
def test_without_access_it_says_so_and_ends_with_code_1(part: str, tmp_path: Path) -> None:
    done = run(part, KUBECONFIG=str(tmp_path / "none"))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["event"] == "process.failed"
    assert "set KUBECONFIG" in json.loads(line)["error"]


def test_a_server_that_is_away_is_said_so_without_a_traceback(tmp_path: Path) -> None:
    """The operator waits for it: see tests/cluster/test_outages.py."""
    path = write_kubeconfig(tmp_path / "kubeconfig", f"http://127.0.0.1:{free_port()}")
    done = run("injector", KUBECONFIG=str(path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "ClusterUnreachable" in json.loads(line)["error"]
    assert "hush" not in done.stderr


AROUND_A_PART = """
import atexit, sys, threading
from penstock_operator import __main__ as entry

async def part():
    atexit.register(print, "taken apart")
    if {stubborn}:
        threading.Thread(target=threading.Event().wait, daemon=True).start()

entry._part = lambda name, settings: part()
sys.exit(entry.main([]))
"""


@pytest.mark.parametrize("stubborn", [True, False])
def test_nothing_is_taken_apart_under_a_thread_that_does_not_end(stubborn: bool) -> None:
    code = AROUND_A_PART.format(stubborn=stubborn)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "" if stubborn else "taken apart\n")
