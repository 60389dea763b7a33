"""A real API server for tests: one that runs, one of `../shared/`, or one out of binaries."""

import asyncio
import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from penstock_operator.cluster import ClusterError, connect
from penstock_operator.webhook.certificates import make_ca, make_leaf

SCRIPT: Final = Path(__file__).resolve().parents[3] / "shared" / "cluster" / "cluster"
SCRIPT_DIR: Final = Path(os.environ.get("CLUSTER_DIR", "/tmp/test-cluster"))
LOCK: Final = Path("/tmp/penstock-test-cluster.lock")
START_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """`controllers`: a controller manager runs, so that namespaces can be deleted."""

    kubeconfig: Path
    controllers: bool


@contextmanager
def shared_cluster() -> Iterator[ControlPlane]:
    """The cluster of `SCRIPT`; started if need be, and then ended unless others use it."""
    with LOCK.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        plane = ControlPlane(SCRIPT_DIR / "kubeconfig", controllers=True)
        started = not answers(plane.kubeconfig)
        if started:
            _run_script("up", "--api-only")
        fcntl.flock(lock, fcntl.LOCK_SH)
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
    token, kubeconfig = secrets.token_hex(16), directory / "kubeconfig"
    etcd_url, peer_url = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    port = free_port()
    _write_certificates(directory)
    (directory / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
    kubeconfig.write_text(_kubeconfig(f"https://127.0.0.1:{port}", directory / "ca.crt", token))
    etcd = [
        f"--data-dir={directory / 'etcd'}",
        f"--listen-client-urls={etcd_url}",
        f"--advertise-client-urls={etcd_url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=default={peer_url}",
        "--unsafe-no-fsync",
    ]
    api_server = [
        f"--etcd-servers={etcd_url}",
        f"--secure-port={port}",
        "--bind-address=127.0.0.1",
        f"--cert-dir={directory / 'generated'}",
        f"--tls-cert-file={directory / 'server.pem'}",
        f"--tls-private-key-file={directory / 'server.key'}",
        f"--service-account-key-file={directory / 'tokens.key'}",
        f"--service-account-signing-key-file={directory / 'tokens.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--api-audiences=https://kubernetes.default.svc",
        f"--token-auth-file={directory / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        "--service-cluster-ip-range=10.97.0.0/16",
    ]
    log = directory / "api-server.log"
    with (
        _process([assets / "etcd", *etcd], directory / "etcd.log"),
        _process([assets / "kube-apiserver", *api_server], log) as process,
    ):
        _await_answer(kubeconfig, process, log)
        yield ControlPlane(kubeconfig, controllers=False)


def answers(kubeconfig: Path) -> bool:
    """Whether the kubeconfig's server says that it is there."""
    try:
        return bool(version(kubeconfig))
    except ClusterError:
        return False


def version(kubeconfig: Path) -> tuple[int, int]:
    """Major and minor of the kubeconfig's server; `ClusterError` when it does not answer."""

    async def ask() -> tuple[int, int]:
        async with connect(kubeconfig) as cluster:
            return await cluster.version()

    return asyncio.run(ask())


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _run_script(*arguments: str) -> None:
    done = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"cluster {' '.join(arguments)}: {done.stdout}{done.stderr}"


def _nobody_else(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_certificates(directory: Path) -> None:
    now = datetime.now(UTC)
    ca = make_ca(now)
    leaf = make_leaf(ca, ("127.0.0.1", "localhost", "kubernetes.default.svc"), now)
    (directory / "ca.crt").write_bytes(ca.certificate)
    (directory / "server.pem").write_bytes(leaf.certificate)
    (directory / "server.key").write_bytes(leaf.key)
    (directory / "tokens.key").write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,  # older servers read no other
            serialization.NoEncryption(),
        )
    )


def _kubeconfig(server: str, ca_file: Path, token: str) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "test",
                    "cluster": {"server": server, "certificate-authority": str(ca_file)},
                }
            ],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
            "current-context": "test",
        }
    )


@contextmanager
def _process(command: list[str | Path], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    program = shutil.which(command[0])
    assert program, f"KUBEBUILDER_ASSETS has no {Path(command[0]).name}"
    with (
        log.open("w") as output,
        subprocess.Popen([program, *command[1:]], stdout=output, stderr=output) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def _await_answer(kubeconfig: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers(kubeconfig):
        late = time.monotonic() > deadline or process.poll() is not None
        assert not late, f"kube-apiserver is not ready: {log.read_text()[-2000:]}"
        time.sleep(0.2)
