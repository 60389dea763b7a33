"""A real API server for tests: one that runs, one of `../shared/`, or one out of binaries."""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.cluster.own_plane import answers, own_plane, version

__all__ = ["answers", "version"]

SCRIPT: Final = Path(__file__).resolve().parents[3] / "shared" / "cluster" / "cluster"
SCRIPT_DIR: Final = Path(os.environ.get("CLUSTER_DIR", "/tmp/test-cluster"))
LOCK: Final = Path("/tmp/penstock-test-cluster.lock")
NONE: Final = "no kube-apiserver: run `make envtest` and set KUBEBUILDER_ASSETS as it says"


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """`controllers`: a controller manager runs, so that namespaces can be deleted."""

    kubeconfig: Path
    controllers: bool


@contextmanager
def shared_cluster() -> Iterator[ControlPlane]:
    """The cluster of `SCRIPT`; started if need be, and then ended unless others use it."""
    with LOCK.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        plane = ControlPlane(SCRIPT_DIR / "kubeconfig", controllers=True)
        started = not answers(plane.kubeconfig) and _started(plane.kubeconfig, lock.fileno())
        try:
            yield plane
        finally:
            if started and _nobody_else(lock.fileno()):
                _run_script("down")


def shared_crds() -> Path:
    """The kubeconfig of the CRD server beside it, started if need be."""
    kubeconfig = SCRIPT_DIR / "kubeconfig-crds"
    with LOCK.with_suffix(".crds").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not answers(kubeconfig):
            _run_script("crds")
    return kubeconfig


@contextmanager
def own_control_plane(assets: Path, directory: Path) -> Iterator[ControlPlane]:
    """etcd and kube-apiserver out of a folder as envtest's, on free ports of 127.0.0.1."""
    with own_plane(assets, directory) as plane:
        yield ControlPlane(plane.kubeconfig, controllers=False)


@cache
def binaries() -> Path | None:
    """A folder with etcd and kube-apiserver, where there is one on this machine."""
    if SCRIPT.exists():
        return Path(_run_script("assets").splitlines()[-1])
    found = os.environ.get("KUBEBUILDER_ASSETS")
    return Path(found) if found else None


def required_binaries() -> Path:
    """As `binaries`; where there is none, the test is skipped."""
    found = binaries()
    if found is None:
        pytest.skip(NONE)
    return found


def _run_script(*arguments: str) -> str:
    """One at a time: each unpacks what is not there yet."""
    with LOCK.with_suffix(".script").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"cluster {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def _started(kubeconfig: Path, lock: int) -> bool:
    """Whether it was us who started it, and not somebody who had the lock before."""
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        if answers(kubeconfig):
            return False
        _run_script("up", "--api-only")
        return True
    finally:
        fcntl.flock(lock, fcntl.LOCK_SH)


def _nobody_else(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
