"""What `helm test` runs, against a real API server, operator and injector."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS
from tests.chart.release import Release
from tests.chart.rendering import CHART, OWN
from tests.cluster.objects import eventually
from tests.cluster.processes import operator_environment, running
from tests.ports import free_port

pytestmark = pytest.mark.cluster


@dataclass(frozen=True)
class Check:
    kubeconfig: Path
    directory: Path
    injector: str

    def run(self, patience_seconds: float = 20) -> tuple[int, list[str]]:
        """Exit code and lines. The administrator's token stands for the pod's."""
        document = yaml.safe_load(self.kubeconfig.read_text())
        server = document["clusters"][0]["cluster"]
        (self.directory / "token").write_text(document["users"][0]["user"]["token"])
        (self.directory / "ca.crt").write_bytes(Path(server["certificate-authority"]).read_bytes())
        environment = {
            "ACCOUNT": str(self.directory),
            "SERVER": server["server"],
            "INJECTOR": self.injector,
            "NAMESPACE": OWN,
            "RELEASE": "penstock",
            "INJECTS": "true",
            "PATIENCE_SECONDS": str(patience_seconds),
        }
        done = subprocess.run(
            [sys.executable, "-I", str(CHART / "files" / "check.py")],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, [*done.stdout.splitlines(), *done.stderr.splitlines()]


async def reach(cluster: Cluster, injector: str) -> None:
    """Names the injector by URL, as from outside of a cluster."""
    for resource in (MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS):
        document = await cluster.get(resource, "penstock")
        for each in document["webhooks"]:
            former = each["clientConfig"]
            path = (
                former["service"]["path"] if "service" in former else urlsplit(former["url"]).path
            )
            each["clientConfig"] = {"url": f"{injector}{path}"}
        await cluster.replace(resource, document)


@pytest.fixture
async def check(release: Release, cluster: Cluster, tmp_path: Path) -> AsyncIterator[Check]:
    """With an injector that serves, and no operator."""
    port = free_port()
    injector = f"https://127.0.0.1:{port}"
    await reach(cluster, injector)
    environment = operator_environment(
        release.kubeconfig,
        OWN,
        webhook_port=str(port),
        webhook_hosts="127.0.0.1",
        sidecar_image="penstock-sidecar:1",
    )
    with running(tmp_path / "injector", environment, "injector") as process:

        async def serving() -> bool:
            assert process.popen.poll() is None, process.log
            return bool(process.events("injector.serving"))

        await eventually(serving)
        yield Check(release.kubeconfig, tmp_path, injector)


async def test_it_passes_where_everything_works(check: Check, tmp_path: Path) -> None:
    environment = operator_environment(check.kubeconfig, OWN)
    with running(tmp_path / "operator", environment) as operator:
        code, lines = check.run()
        assert operator.stop() == 0, "else the next one waits for the end of its Lease"
    assert lines == [
        "ok      an operator leads",
        "ok      wrong resources are refused",
        "ok      pods get a sidecar",
    ]
    assert code == 0


async def test_it_says_what_does_not_work(check: Check, cluster: Cluster) -> None:
    """No operator, and an injector of which the API server has been told wrong."""
    await reach(cluster, f"https://127.0.0.1:{free_port()}")
    code, lines = check.run(patience_seconds=0)
    assert code == 1
    assert lines[0].startswith("FAILED  an operator leads: ")
    assert lines[1].startswith("FAILED  wrong resources are refused: ")
