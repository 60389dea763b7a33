"""The operator and the injector as processes of their own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STOP_SECONDS = 15


class Process:
    """A started `python -m penstock_operator`; its log is kept line by line in a file."""

    def __init__(self, log: Path, environment: Mapping[str, str], *arguments: str) -> None:
        self._log = log
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}
        with log.open("w") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "penstock_operator", *arguments],
                env={**inherited, **environment},
                stdout=output,
                stderr=output,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def events(self, name: str) -> list[dict[str, Any]]:
        """Log lines of that event."""
        lines = [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def kill(self) -> None:
        """As a crash: nothing is given back."""
        self.popen.kill()
        self.popen.wait(STOP_SECONDS)

    def stop(self) -> int:
        """As a kubelet does; its exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(STOP_SECONDS)


@contextmanager
def running(log: Path, environment: Mapping[str, str], *arguments: str) -> Iterator[Process]:
    process = Process(log, environment, *arguments)
    try:
        yield process
    finally:
        if process.popen.poll() is None:
            process.kill()


def operator_environment(kubeconfig: Path, namespace: str, **settings: str) -> dict[str, str]:
    """Ports are free ones; the operator's own namespace holds its Lease."""
    return {
        "PENSTOCK_KUBECONFIG": str(kubeconfig),
        "PENSTOCK_NAMESPACE": namespace,
        "PENSTOCK_CLUSTER": "test",
        "PENSTOCK_PROBE_HOST": "127.0.0.1",
        "PENSTOCK_PROBE_PORT": "0",
        "PENSTOCK_WEBHOOK_HOST": "127.0.0.1",
        "PENSTOCK_WEBHOOK_PORT": "0",
        "PENSTOCK_REDIS_URL": "redis://redis.example.com:6379",
        "PENSTOCK_REDIS_PASSWORD": "redis-hush",
        "PENSTOCK_PROBE_PROVIDERS": "false",
        **{f"PENSTOCK_{name.upper()}": value for name, value in settings.items()},
    }
