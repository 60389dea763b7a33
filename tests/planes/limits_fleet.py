"""Starts sidecars' limiters as processes, and ends them, kindly or not."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock_config.codec import encode
from penstock_config.schema import SidecarConfig

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def limiter_process(config: SidecarConfig, redis_url: str, **order: Any) -> Iterator["Process"]:
    """Killed at the end, if it still runs then."""
    text = json.dumps({"config": encode(config).decode(), "redis": redis_url, **order})
    command = [sys.executable, "-m", "tests.planes.limits_process", text]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Process(process)
        finally:
            process.kill()


class Process:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def wait_until_ready(self) -> None:
        assert self.read_line() == "ready"

    def read_line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def tell(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def kill_dash_nine(self) -> None:
        self._process.kill()
        self._process.wait()
