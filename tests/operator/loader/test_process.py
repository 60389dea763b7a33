"""`penstock-operator loader` as a process: what it needs, how it starts and ends."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from penstock_operator.environment import SettingsError
from penstock_operator.loader.settings import LoaderSettings
from tests.ports import free_port

MAX_RESIDENT_MIB = 64
HEAVY = """
import sys
import penstock_operator.__main__, penstock_operator.loader.run
heavy = {"kopf", "kubernetes", "redis", "prometheus_client", "cryptography", "yaml"}
print(sorted(heavy & set(sys.modules)))
"""


def test_it_imports_nothing_that_it_does_not_need() -> None:
    command = [sys.executable, "-c", HEAVY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def test_it_answers_probes_takes_little_memory_and_ends_on_sigterm(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "PENSTOCK_LOADER_MODELS_FILE": str(tmp_path / "models.json"),
        "PENSTOCK_LOADER_MODELS_DIR": str(tmp_path),
        "PENSTOCK_LOADER_OLLAMA_URL": f"http://127.0.0.1:{free_port()}",
        "PENSTOCK_LOADER_HOST": "127.0.0.1",
        "PENSTOCK_LOADER_PORT": str(port),
    }
    (tmp_path / "models.json").write_text(json.dumps({"models": [{"name": "llama3.2:1b"}]}))
    command = [sys.executable, "-m", "penstock_operator", "loader"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert healthy(f"http://127.0.0.1:{port}/healthz")
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10)
        assert resident_mib(process.pid) < MAX_RESIDENT_MIB
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)
    assert process.returncode == 0
    events = [json.loads(line)["event"] for line in said.splitlines()]
    assert events == ["loader.started", "models_file.read", "process.stopped"]


def healthy(url: str) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PENSTOCK_LOADER_PORT", "high"),
        ("PENSTOCK_LOADER_LOOK_SECONDS", "0"),
        ("PENSTOCK_LOADER_OLLAMA_URL", "127.0.0.1:11434"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        LoaderSettings.from_environment({name: value})


def test_a_wrong_setting_ends_it_with_code_2() -> None:
    environment = {**os.environ, "PENSTOCK_LOADER_PORT": "high"}
    command = [sys.executable, "-m", "penstock_operator", "loader"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("penstock-operator: PENSTOCK_LOADER_PORT")


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    said = {"PENSTOCK_LOADER_MODELS_DIR": str(tmp_path), "PENSTOCK_LOADER_STALL_SECONDS": "7.5"}
    found = LoaderSettings.from_environment(said)
    assert (found.models_dir, found.stall_seconds) == (tmp_path, 7.5)
    assert found.port == 4144
