"""The library of `fake_nvml.c`: built, told what it says, and read through the real pynvml."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from penstock_operator.ollama.gpus import NodeGpus, decode_gpus

SOURCE: Final = Path(__file__).parent / "fake_nvml.c"
NAME: Final = "libnvidia-ml.so.1"
GIB: Final = 1024**3
Value = str | int


def build(directory: Path, *options: str) -> Path:
    """The folder for LD_LIBRARY_PATH; without a compiler the test is skipped."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    warnings = ("-Wall", "-Wextra", "-Werror")
    command = [compiler, "-shared", "-fPIC", "-O1", *warnings, *options, str(SOURCE)]
    subprocess.run([*command, "-o", str(directory / NAME)], check=True)
    return directory


@dataclass(frozen=True, slots=True)
class Machine:
    """What the library says; `say` may change it while it is loaded."""

    library: Path
    state: Path

    def say(self, facts: Mapping[str, Value]) -> None:
        """All of it: what was said before is gone."""
        fresh = self.state.with_suffix(".new")
        text = "".join(f"{key}={value}\n" for key, value in facts.items())
        fresh.write_text(text, "utf-8", errors="surrogateescape")
        fresh.rename(self.state)

    @property
    def calls(self) -> list[str]:
        """Each `init` and `shutdown`."""
        path = Path(f"{self.state}.calls")
        return path.read_text().split() if path.exists() else []

    @property
    def environment(self) -> dict[str, str]:
        """Of a process that is to find this library and no other."""
        return {"LD_LIBRARY_PATH": str(self.library), "FAKE_NVML": str(self.state)}


@dataclass(frozen=True, slots=True)
class Observed:
    found: NodeGpus
    must_restart: bool


class Reader:
    """A process that reads through pynvml when it is asked (`tests/agent/reader.py`)."""

    def __init__(self, popen: "subprocess.Popen[str]") -> None:
        self._popen = popen

    def observe(self, at_seconds: float = 0) -> Observed:
        """One reading, at that moment of its clock."""
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        print(at_seconds, file=self._popen.stdin, flush=True)
        answer = json.loads(self._popen.stdout.readline())
        found = decode_gpus(answer["found"])
        assert found is not None
        return Observed(found, answer["must_restart"])


@contextmanager
def reader(environment: Mapping[str, str]) -> Iterator[Reader]:
    kept = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}
    popen = subprocess.Popen(
        [sys.executable, "-m", "tests.agent.reader"],
        env={**kept, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Reader(popen)
    finally:
        popen.communicate(timeout=15)  # its input ends
    assert popen.returncode == 0


def gpu(index: int, **facts: Value) -> dict[str, Value]:
    """Facts of one GPU: those of a quiet L4, but for what is given; `None` is not said."""
    whole: dict[str, Value] = {
        "name": "NVIDIA L4",
        "uuid": f"GPU-{index:08d}-aaaa-bbbb-cccc-dddddddddddd",
        "total": 23_034 * 1024**2,
        "reserved": 512 * 1024**2,
        "used": 0,
        "load": 0,
        "temperature": 41,
        "milliwatts": 16_432,
        "mig": "!3",
        "compute": "",
        "graphics": "",
        **facts,
    }
    return {f"gpu.{index}.{key}": value for key, value in whole.items()}


def machine_with(*gpus: Mapping[str, Value], **facts: Value) -> dict[str, Value]:
    """A working driver with these GPUs."""
    found: dict[str, Value] = {"driver": "580.65.06", "count": len(gpus), **facts}
    for each in gpus:
        found |= each
    return found
