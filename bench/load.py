"""The callers: wrk, every request with a prompt of its own so that no cache can answer."""

import asyncio
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.process import pinned

SCRIPT = """
local n = 0
local head = '{{"model":"{model}","messages":[{{"role":"user","content":"Is the sluice open? '
local tail = '"}}],"max_tokens":16,"temperature":0}}'
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer {key}"
request = function()
  n = n + 1
  return wrk.format(nil, "/v1/chat/completions", nil, head .. {varying} .. tail)
end
"""

_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """How wrk is run."""

    seconds: int
    connections: int
    core: int | None
    varying: str = "n"
    """What ends each prompt, in Lua; by default a number of its own."""
    model: str = "bench-model"
    key: str = "none"


@dataclass(frozen=True, slots=True)
class Measured:
    """What wrk saw. Latencies in milliseconds."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    failed: int
    """Answers that were not 2xx, and broken connections."""


async def offer(load: Load, port: int, folder: Path) -> Measured:
    """Run wrk against 127.0.0.1:`port`."""
    wrk = shutil.which("wrk")
    if wrk is None:
        msg = "wrk is missing: install it (Debian: apt-get install wrk)"
        raise RuntimeError(msg)
    script = folder / "post.lua"
    filled = SCRIPT.format(model=load.model, key=load.key, varying=load.varying)
    script.write_text(filled, "utf-8")
    command = [
        wrk, "-t1", f"-c{load.connections}", f"-d{load.seconds}s", "--latency",
        "-s", str(script), f"http://127.0.0.1:{port}",
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *pinned(command, load.core), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return parse(output.decode())


def parse(text: str) -> Measured:
    """What wrk prints with `--latency`."""
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    sockets = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text
    )
    return Measured(
        requests_per_second=float(_found(r"Requests/sec:\s+([\d.]+)", text)),
        p50_ms=_milliseconds(_found(r"50%\s+([\d.]+\w+)", text)),
        p99_ms=_milliseconds(_found(r"99%\s+([\d.]+\w+)", text)),
        failed=(int(errors[1]) if errors else 0)
        + (sum(map(int, sockets.groups())) if sockets else 0),
    )


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        msg = f"wrk did not print {pattern}"
        raise RuntimeError(msg)
    return match[1]


def _milliseconds(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    if match is None:
        msg = f"not a latency: {text}"
        raise RuntimeError(msg)
    return float(match[1]) * _MS[match[2]]
