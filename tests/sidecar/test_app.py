"""The sidecar as a process: how it starts, refuses to start, and ends."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BASE = {
    "PENSTOCK_PORT": "0",
    "PENSTOCK_PROBE_PORT": "0",
    "PENSTOCK_ADMIN_PORT": "0",
    "PENSTOCK_PROBE_HOST": "127.0.0.1",
}
COMMAND = [sys.executable, "-P", "-m", "penstock_sidecar"]


def environment(folder: Path, **values: str) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}
    folders = dict.fromkeys(
        ("PENSTOCK_CONFIG_DIR", "PENSTOCK_CREDENTIALS_DIR", "PENSTOCK_POD_INFO_DIR"), str(folder)
    )
    return inherited | BASE | folders | values


@contextlib.contextmanager
def process(folder: Path, **values: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A sidecar that has started, and the line that says so."""
    env = environment(folder, **values)
    with subprocess.Popen(COMMAND, env=env, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            lines = (json.loads(line) for line in running.stdout)
            yield running, next(line for line in lines if line["event"] == "sidecar.started")
        finally:
            running.kill()


def get(port: int, path: str, data: bytes | None = None) -> tuple[int, Any]:
    url = f"http://127.0.0.1:{port}{path}"
    try:
        with urllib.request.urlopen(url, data, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def refusal(env: dict[str, str]) -> str:
    """What a process says that does not start."""
    ended = subprocess.run(
        COMMAND, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    return ended.stderr


def test_without_a_configuration_it_is_ready_and_says_what_is_missing(tmp_path: Path) -> None:
    with process(tmp_path) as (running, said):
        assert get(said["probe"], "/healthz")[0] == 200
        assert get(said["probe"], "/readyz")[0] == 200
        status, body = get(said["application"], "/v1/models")
        assert (status, body["error"]["code"]) == (503, "configuration_missing")
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_success(tmp_path: Path, number: signal.Signals) -> None:
    with process(tmp_path) as (running, _):
        running.send_signal(number)
        assert running.wait(20) == 0


def test_a_bad_value_in_the_environment_is_one_clear_line(tmp_path: Path) -> None:
    said = refusal(environment(tmp_path, PENSTOCK_PORT="many"))
    assert said == "penstock-sidecar: PENSTOCK_PORT='many': expected int\n"
    assert "LOUD" in refusal(environment(tmp_path, PENSTOCK_LOG_LEVEL="loud"))


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port}" in refusal(environment(tmp_path, PENSTOCK_PORT=port))


def test_the_version_needs_no_environment() -> None:
    ended = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("penstock-sidecar ")


def test_pain_01_quit_ends_it_with_success_so_that_a_job_completes(tmp_path: Path) -> None:
    with process(tmp_path) as (running, said):
        status, body = get(said["admin"], "/quit", data=b"")
        assert (status, json.loads(body)) == (202, {"quitting": True, "in_flight": 0})
        assert running.wait(20) == 0


def test_the_drain_hook_drains_and_the_sidecar_goes_on(tmp_path: Path) -> None:
    with process(tmp_path) as (running, said):
        hook = environment(tmp_path, PENSTOCK_ADMIN_PORT=str(said["admin"]))
        subprocess.run([*COMMAND, "drain"], env=hook, check=True, timeout=30)
        assert get(said["probe"], "/readyz")[0] == 503
        assert get(said["application"], "/v1/models")[1]["error"]["code"] == "configuration_missing"
        assert running.poll() is None
