"""The images of a test run: both of the product, and one that stands in for everything outside."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.e2e.places import Place

BUILT: Final = "PENSTOCK_E2E_BUILT"
ROOT: Final = Path(__file__).resolve().parents[2]
PROGRAMS: Final = Path(__file__).parent / "images"
OLLAMA: Final = ROOT / "tests" / "fakes" / "ollama"
"""What the image runs where nothing else is said, as Ollama's own does."""
REDIS: Final = ROOT / ".cache" / "redis" / "redis8"
"""Debian's, unpacked, for a cluster without a network. Elsewhere the chart's own is pulled."""


@dataclass(frozen=True, slots=True)
class Images:
    operator: str = "localhost/penstock-operator:e2e"
    sidecar: str = "localhost/penstock-sidecar:e2e"
    outside: str = "localhost/penstock-e2e:e2e"


def build_images(place: Place, scratch: Path) -> Images:
    """Builds all of them, from the product's own Dockerfiles, and gives them to the nodes.

    Not so where `BUILT` is set: a kept cluster has those of the run before.
    """
    images = Images()
    if os.environ.get(BUILT):
        return images
    place.build(images.operator, ROOT, ROOT / "operator" / "Dockerfile")
    place.build(images.sidecar, ROOT, ROOT / "sidecar" / "Dockerfile")
    context = _outside_context(scratch / "outside")
    place.build(images.outside, context, PROGRAMS / "Dockerfile")
    return images


def has_redis() -> bool:
    """Whether there is a Redis of ours to put into an image; fetched if need be."""
    fetch = [ROOT / ".ci" / "redis-servers", REDIS.parent]
    subprocess.run(fetch, capture_output=True, check=False)  # it says what it lacks; we look
    return (REDIS / "redis-server").exists()


def _outside_context(context: Path) -> Path:
    programs = context / "programs"
    shutil.copytree(PROGRAMS, programs, ignore=shutil.ignore_patterns("Dockerfile", "__*"))
    package = programs / "penstock_cli"
    package.mkdir()
    shutil.copy(ROOT / "operator" / "penstock_cli" / "__init__.py", package)
    shutil.copytree(ROOT / "operator" / "penstock_cli" / "stub", package / "stub")
    _copy_package(OLLAMA, programs / "tests" / "fakes" / "ollama")
    (context / "versions.txt").write_text(_versions())
    if has_redis():
        shutil.copytree(REDIS, context / "redis", symlinks=True)
        _let_redis_cli_run(context / "redis")
    else:
        (context / "redis").mkdir()
    return context


def _copy_package(source: Path, target: Path) -> None:
    """It, and the packages that it is in."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "test_*"))
    for parent in (target.parent, target.parent.parent):
        (parent / "__init__.py").touch()


def _versions() -> str:
    """What the lock says, without hashes: pip takes none of them from constraints."""
    lock = (ROOT / "requirements" / "dev.txt").read_text()
    return "\n".join(re.findall(r"^[A-Za-z0-9._-]+==[^ ;\\]+", lock, re.MULTILINE)) + "\n"


def _let_redis_cli_run(folder: Path) -> None:
    """The same few lines that run the server run its client."""
    wrapper = (folder / "redis-server").read_text()
    client = folder / "redis-cli"
    client.write_text(wrapper.replace("/redis-server", "/redis-cli"))
    client.chmod(0o755)
