"""Where the tests run: the cluster of `../shared/`, or one that kind made; how images get there."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

import pytest

from tests.cluster import control_plane
from tests.e2e.kubectl import Kubectl

KEEP: Final = "PENSTOCK_E2E_KEEP"
NONE: Final = (
    "no cluster for end-to-end tests: KUBECONFIG must lead to one that kind made, with kind and "
    "docker on PATH. `kind create cluster --config kind-config.yaml` makes it."
)
Signal = Literal["KILL", "STOP", "CONT"]
UNITS: Final = {"kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9}


class Place(Protocol):
    """A cluster with nodes."""

    @property
    def kubeconfig(self) -> Path: ...

    @property
    def base(self) -> str:
        """The Python image that all of ours are made from."""

    def build(self, tag: str, context: Path, dockerfile: Path) -> None:
        """Builds an image and gives it to the nodes."""

    def image_bytes(self, tag: str) -> int:
        """Unpacked, its base included."""

    def signal(self, name: Signal, container_id: str, node: str) -> None:
        """For a container's first process, and unseen by the API server."""


@contextmanager
def found_place() -> Iterator[Place]:
    """Skips, and says how to get one, where there is none."""
    if control_plane.SCRIPT.exists():
        with _shared_cluster() as shared:
            yield shared
    elif (kubeconfig := os.environ.get("KUBECONFIG")) and (name := _kind_cluster(Path(kubeconfig))):
        yield Kind(Path(kubeconfig), name)
    else:
        pytest.skip(NONE)


@dataclass(frozen=True, slots=True)
class Shared:
    """The cluster of `../shared/cluster`: its node is this machine."""

    folder: Path

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def base(self) -> str:
        return "localhost/python:3.13-slim"

    def build(self, tag: str, context: Path, dockerfile: Path) -> None:
        script = str(control_plane.SCRIPT)
        _output(script, "build", tag, str(context), "--layers", "-f", str(dockerfile))

    def image_bytes(self, tag: str) -> int:
        (found,) = json.loads(_output("buildah", "images", "--json", tag))
        number, unit = re.fullmatch(r"([0-9.]+) ([kKMG]B)", found["size"]).groups()  # type: ignore[union-attr]  # buildah's format
        return round(float(number) * UNITS[unit])

    def signal(self, name: Signal, container_id: str, node: str) -> None:  # noqa: ARG002  # one node
        tasks = _output("ctr", "-a", str(self.containerd), "-n", "k8s.io", "tasks", "ls")
        pids = {line.split()[0]: int(line.split()[1]) for line in tasks.splitlines()[1:]}
        os.kill(pids[container_id], getattr(signal, f"SIG{name}"))

    @property
    def containerd(self) -> Path:
        """Its socket: there where the cluster has a node."""
        return self.folder / "ctd" / "containerd.sock"


@dataclass(frozen=True, slots=True)
class Kind:
    """A cluster in Docker."""

    kubeconfig: Path
    name: str

    @property
    def base(self) -> str:
        return "docker.io/library/python:3.13-slim"

    def build(self, tag: str, context: Path, dockerfile: Path) -> None:
        _output("docker", "build", "--quiet", "-t", tag, "-f", str(dockerfile), str(context))
        _output("kind", "load", "docker-image", "--name", self.name, tag)

    def image_bytes(self, tag: str) -> int:
        return int(_output("docker", "image", "inspect", "--format", "{{.Size}}", tag))

    def signal(self, name: Signal, container_id: str, node: str) -> None:
        inspect = f"crictl inspect -o go-template --template '{{{{.info.pid}}}}' {container_id}"
        _output("docker", "exec", node, "sh", "-c", f"kill -{name} $({inspect})")


@contextmanager
def _shared_cluster() -> Iterator[Shared]:
    """One with a node that runs, or a new one, stopped in the end unless `KEEP` is set."""
    place = Shared(control_plane.SCRIPT_DIR)
    with control_plane.LOCK.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests of API servers use the same one
        started = not place.containerd.is_socket()
        if started:
            _output(str(control_plane.SCRIPT), "up")
        try:
            yield place
        finally:
            if started and not os.environ.get(KEEP):
                _output(str(control_plane.SCRIPT), "down")


def _kind_cluster(kubeconfig: Path) -> str:
    """The name of the cluster that kind made and the kubeconfig leads to; empty for others."""
    if not all(shutil.which(program) for program in ("kind", "docker", "kubectl")):
        return ""
    context = Kubectl(kubeconfig).run("config", "current-context").strip()
    return context.removeprefix("kind-") if context.startswith("kind-") else ""


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout
