"""A real embedder beside the tests: its own process, its own environment, the real model.

The libraries are heavy and not in the tests' environment; `make unit` makes `.venvs/embedder`.
"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from pydantic import SecretStr

from penstock_config.embedder import NAMESPACE_HEADER, EmbedderAccess, namespace_token
from tests.servers.server import eventually

ROOT: Final = Path(__file__).parents[2]
OURS: Final = ROOT / ".venvs" / "embedder" / "bin" / "python"
VARIABLE: Final = "PENSTOCK_EMBEDDER_PYTHON"
NONE: Final = f"no embedder here: `make .venvs/embedder/.ready`, or set {VARIABLE}"
SECRET: Final = "a secret of the tests"
CLUSTER: Final = "main"
STOP_SECONDS: Final = 20


def interpreter() -> Path | None:
    """Of this checkout's own environment, else what the variable says."""
    there = (path for path in (OURS, Path(os.environ.get(VARIABLE, ""))) if path.is_file())
    return next(there, None)


@dataclass(frozen=True, slots=True)
class EmbedderProcess:
    """One that runs. What it logs is in `log`, a line per event."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def access(self, namespace: str, cluster: str = CLUSTER) -> EmbedderAccess:
        """As a namespace's sidecars get it with their credentials."""
        token = namespace_token(SECRET, cluster, namespace)
        return EmbedderAccess(url=self.url, token=SecretStr(token))

    def post(
        self, path: str, body: object, namespace: str = "team-a", **headers: str
    ) -> tuple[int, Any]:
        """The status and the parsed answer; `deadline="50"` is `x-penstock-deadline-ms: 50`."""
        given = {f"x-penstock-{name}-ms": value for name, value in headers.items()}
        request = Request(
            f"{self.url}{path}", json.dumps(body).encode(), {**credentials(namespace), **given}
        )
        try:
            with urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except HTTPError as error:
            return error.code, json.load(error)

    def get(self, path: str) -> str:
        with urlopen(f"{self.url}{path}", timeout=30) as response:
            return str(response.read().decode())

    def metric(self, line: str) -> float:
        """The number after this beginning of a line of /metrics."""
        (found,) = [x for x in self.get("/metrics").splitlines() if x.startswith(f"{line} ")]
        return float(found.rpartition(" ")[2])

    def stop(self) -> int:
        """Its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@pytest.fixture(scope="session")
def embedder_python() -> Path:
    """The interpreter that has the embedder's libraries; skips where there is none."""
    if (found := interpreter()) is None:
        pytest.skip(NONE)
    return found


@pytest.fixture(scope="session")
def embedder_model(embedder_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """all-MiniLM-L6-v2, exported as images have it."""
    return exported(embedder_python, tmp_path_factory.mktemp("embedder") / "model")


def exported(python: Path, folder: Path) -> Path:
    """The folder, with the model in it."""
    command = [str(python), "-m", "penstock_embedder", "export", str(folder)]
    subprocess.run(command, env=environment(), check=True, timeout=60)
    return folder


def credentials(namespace: str) -> Mapping[str, str]:
    """A sidecar's headers."""
    token = namespace_token(SECRET, CLUSTER, namespace)
    return {NAMESPACE_HEADER: namespace, "authorization": f"Bearer {token}"}


@contextmanager
def running_embedder(
    python: Path, redis_url: str, folder: Path, **settings: object
) -> Iterator[EmbedderProcess]:
    """Ready when it is given. `settings` are fields of `penstock_embedder.settings.Settings`;
    `folder` gets its log."""
    folder.mkdir(parents=True, exist_ok=True)
    given = {"redis_url": redis_url, "secret": SECRET, "cluster": CLUSTER, "port": 0, **settings}
    log = folder / "embedder.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [python, "-m", "penstock_embedder"],
            env=environment(host="127.0.0.1", **given),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: _port(log) or process.poll() is not None, "an embedder that starts")
        assert process.poll() is None, log.read_text()
        found = EmbedderProcess(f"http://127.0.0.1:{_port(log)}", process, log)
        eventually(lambda: _ready(found), "an embedder that is ready")
        yield found
    finally:
        process.kill()
        process.wait()


def environment(**settings: object) -> Mapping[str, str]:
    """Of a process that runs this checkout's embedder."""
    return {
        **{name: value for name, value in os.environ.items() if "PENSTOCK" not in name},
        **{f"PENSTOCK_EMBEDDER_{name.upper()}": str(v) for name, v in settings.items()},
        "PYTHONPATH": str(ROOT / "sidecar"),
    }


def _port(log: Path) -> int | None:
    for line in log.read_text().splitlines():
        if '"embedder.started"' in line:
            port: int = json.loads(line)["port"]
            return port
    return None


def _ready(embedder: EmbedderProcess) -> bool:
    try:
        return embedder.get("/readyz") == "ok"
    except URLError:
        return False
