"""A control plane out of binaries, whose parts tests may kill, start again and audit."""

import asyncio
import json
import secrets
import shutil
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from penstock_operator.cluster import ClusterError, connect
from penstock_operator.webhook.certificates import make_ca, make_leaf
from tests.ports import free_port

START_SECONDS: Final = 60
STOP_SECONDS: Final = 30
AUDIT_POLICY: Final = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [{"level": "Metadata"}],
}
READING: Final = frozenset({"get", "list", "watch"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One answered request, as the API server wrote it down. Times are the API server's."""

    user: str
    verb: str
    resource: str
    namespace: str
    name: str
    code: int
    came_at: datetime
    answered_at: datetime

    @property
    def writes(self) -> bool:
        return self.verb not in READING

    @classmethod
    def of(cls, line: bytes) -> Self:
        found = json.loads(line)
        about = found.get("objectRef") or {}
        subresource = about.get("subresource")
        return cls(
            user=found["user"]["username"],
            verb=found["verb"],
            resource=about.get("resource", "") + (f"/{subresource}" if subresource else ""),
            namespace=about.get("namespace", ""),
            name=about.get("name", ""),
            code=found.get("responseStatus", {}).get("code", 0),
            came_at=datetime.fromisoformat(found["requestReceivedTimestamp"]),
            answered_at=datetime.fromisoformat(found["stageTimestamp"]),
        )


class AuditLog:
    """What an API server writes down, read on from where the last reading ended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def news(self) -> list[Entry]:
        """Requests that were answered since the last call, in the order of arrival."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return sorted(map(Entry.of, whole.splitlines()), key=lambda entry: entry.came_at)


class OwnPlane:
    """etcd and kube-apiserver on free ports of 127.0.0.1, `admin` and further users of all rights.

    Of what happens in the folder nothing outlives the test.
    """

    def __init__(
        self,
        assets: Path,
        directory: Path,
        *,
        users: Sequence[str] = (),
        watch_cache: bool = True,
    ) -> None:
        self._assets = assets
        self._directory = directory
        self._etcd_port, self._peer_port, self.port = (free_port() for _ in range(3))
        self._watch_cache = watch_cache
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        _write_certificates(directory)
        (directory / "audit.yaml").write_text(yaml.safe_dump(AUDIT_POLICY))
        tokens = {user: secrets.token_hex(16) for user in ("admin", *users)}
        lines = [f'{token},{user},{user},"system:masters"' for user, token in tokens.items()]
        (directory / "tokens.csv").write_text("\n".join(lines) + "\n")
        self._tokens = tokens
        self.kubeconfig = self.kubeconfig_of("admin")

    def kubeconfig_of(self, user: str, port: int | None = None) -> Path:
        """`port`: of something that stands before the API server."""
        path = self._directory / f"kubeconfig-{user}-{port or self.port}"
        server = f"https://127.0.0.1:{port or self.port}"
        path.write_text(_kubeconfig(server, self._directory / "ca.crt", self._tokens[user]))
        return path

    def start(self) -> None:
        """Returns once the API server answers."""
        folder, url = self._directory, f"http://127.0.0.1:{self._etcd_port}"
        peer_url = f"http://127.0.0.1:{self._peer_port}"
        self._run(
            "etcd",
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}",
            "--unsafe-no-fsync",
        )
        self.start_api_server()

    def start_api_server(self) -> None:
        """On the same etcd and port as before, where there was one before."""
        folder = self._directory
        self._run(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--etcd-compaction-interval=0",
            f"--watch-cache={'true' if self._watch_cache else 'false'}",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={folder / 'generated'}",
            f"--tls-cert-file={folder / 'server.pem'}",
            f"--tls-private-key-file={folder / 'server.key'}",
            f"--service-account-key-file={folder / 'tokens.key'}",
            f"--service-account-signing-key-file={folder / 'tokens.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--api-audiences=https://kubernetes.default.svc",
            f"--token-auth-file={folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            "--service-cluster-ip-range=10.97.0.0/16",
            f"--audit-policy-file={folder / 'audit.yaml'}",
            f"--audit-log-path={folder / 'audit.log'}",
        )
        self._await_answer()

    def start_namespace_controller(self) -> None:
        """Without it nobody finishes the deletion of a namespace."""
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig}",
            "--controllers=namespace",
            "--leader-elect=false",
            f"--secure-port={free_port()}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self._directory / 'generated'}",
            "--port=0",
        )

    def start_placing(self) -> None:
        """Deployments get pods, these get nodes, and whose heartbeat stops is soon found dead."""
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig}",
            "--controllers=namespace,deployment,replicaset,nodelifecycle,garbagecollector,disruption",
            "--leader-elect=false",
            f"--secure-port={free_port()}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self._directory / 'generated'}",
            "--port=0",
            "--node-monitor-period=500ms",
            "--node-monitor-grace-period=4s",
            "--node-startup-grace-period=10s",
        )
        self._run(
            "kube-scheduler",
            f"--kubeconfig={self.kubeconfig}",
            "--leader-elect=false",
            f"--secure-port={free_port()}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self._directory / 'generated'}",
            "--port=0",
        )

    def kill_api_server(self) -> None:
        """As a crash: requests and watches under way are cut off."""
        process = self._processes.pop("kube-apiserver")
        process.kill()
        process.wait(STOP_SECONDS)

    def compact(self) -> None:
        """Lets etcd forget all but the present: older resource versions are too old then."""
        revision = self._etcd("range", {"key": "AA=="})["header"]["revision"]
        self._etcd("compaction", {"revision": revision, "physical": True})

    def audit(self) -> AuditLog:
        """From the beginning."""
        return AuditLog(self._directory / "audit.log")

    def stop(self) -> None:
        """Ends every part that runs, the API server before its etcd."""
        for process in reversed(self._processes.values()):
            process.kill()
            process.wait(STOP_SECONDS)
        self._processes.clear()

    def _run(self, program: str, *flags: str) -> None:
        found = shutil.which(self._assets / program)
        assert found, f"KUBEBUILDER_ASSETS has no {program}"
        with (self._directory / f"{program}.log").open("a") as log:
            self._processes[program] = subprocess.Popen([found, *flags], stdout=log, stderr=log)

    def _etcd(self, call: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._etcd_port}/v3/kv/{call}", json.dumps(body).encode()
        )
        with urllib.request.urlopen(request, timeout=STOP_SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def _await_answer(self) -> None:
        process, deadline = self._processes["kube-apiserver"], time.monotonic() + START_SECONDS
        while not self._ready():
            late = time.monotonic() > deadline or process.poll() is not None
            log = self._directory / "kube-apiserver.log"
            assert not late, f"kube-apiserver is not ready: {log.read_text()[-2000:]}"
            time.sleep(0.1)

    def _ready(self) -> bool:
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.port}/readyz",
            headers={"Authorization": f"Bearer {self._tokens['admin']}"},
        )
        tls = ssl.create_default_context(cafile=self._directory / "ca.crt")
        try:
            with urllib.request.urlopen(request, timeout=STOP_SECONDS, context=tls) as answer:
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False


@contextmanager
def own_plane(
    assets: Path, directory: Path, *, users: Sequence[str] = (), watch_cache: bool = True
) -> Iterator[OwnPlane]:
    """A control plane that answers, until the block ends."""
    plane = OwnPlane(assets, directory, users=users, watch_cache=watch_cache)
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()


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
