#!/usr/bin/env python3
"""Writes what an image's Python packages are, as CycloneDX: `sbom.py PART OUTPUT`.

PART is `operator`, `sidecar` or `embedder`. What its lock gives for the image's Python and system,
which need not be this machine's, is installed by hash into an environment of its own;
`cyclonedx-py` reads names, versions, licences and dependencies there. Runs where that is installed
(`make sbom`).
"""

import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from packaging.markers import Marker

ROOT = Path(__file__).parent.parent
ENTRY = re.compile(r"^(\S+==\S+)(?: ; (.*?))?( \\\n(?: .*\n)+)", re.MULTILINE)
DOCKERFILES = {
    "operator": "operator/Dockerfile",
    "sidecar": "sidecar/Dockerfile",
    "embedder": "sidecar/embedder.Dockerfile",
}
BASE = re.compile(r"^ARG PYTHON_IMAGE=\S+:(\d+\.\d+)", re.MULTILINE)
IMAGE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "sys_platform": "linux",
}


def main(part: str, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    lock = ROOT / "requirements" / f"{part}.txt"
    dockerfile = ROOT / DOCKERFILES[part]
    with tempfile.TemporaryDirectory() as folder:
        chosen, environment = Path(folder, "requirements.txt"), Path(folder, "environment")
        chosen.write_text(in_image(lock.read_text("utf-8"), dockerfile.read_text("utf-8")), "utf-8")
        venv.create(environment, with_pip=False)
        flags = ("--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps")
        run("pip", "--python", environment, "install", *flags, "--require-hashes", "-r", chosen)
        told = ("--pyproject", ROOT / "pyproject.toml", "--output-file", output)
        run("cyclonedx_py", "environment", "--output-reproducible", *told, environment)


def in_image(lock: str, dockerfile: str) -> str:
    """The lock as the image's environment takes it: entries that do not apply left out."""
    (python,) = BASE.findall(dockerfile)
    there = IMAGE | {"python_version": python, "python_full_version": f"{python}.0"}
    return "".join(
        pin + hashes
        for pin, marker, hashes in ENTRY.findall(lock)
        if not marker or Marker(marker).evaluate(there)
    )


def run(module: str, *arguments: object) -> None:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    subprocess.run(command, check=True)  # noqa: S603  # all of it is ours


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
