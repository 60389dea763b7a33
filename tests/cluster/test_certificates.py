"""The injector's certificates on a real API server: nobody is ever refused because of them."""

import asyncio
import base64
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from penstock_operator.cluster import Cluster, NotFound, Refused
from penstock_operator.cluster.client import MUTATING_WEBHOOKS, SECRETS, VALIDATING_WEBHOOKS
from penstock_operator.webhook.certificates import authorities_in
from tests.cluster.balancer import Balancer, balancing
from tests.cluster.objects import (
    BUDGETS,
    budget,
    delete,
    eventually,
    put,
    with_definitions,
)
from tests.cluster.processes import Process, operator_environment, running
from tests.operator.webhook.volume import Volume
from tests.ports import free_port

pytestmark = pytest.mark.cluster

KINDS = (VALIDATING_WEBHOOKS, MUTATING_WEBHOOKS)
SECRET = "penstock-webhook-ca"
LEAF_SECONDS, CA_SECONDS = 6, 24
REPAIR_SECONDS = 15
"""A round without a watch begins each minute."""


@pytest.fixture(scope="module")
def server(kubeconfig: Path) -> Path:
    return with_definitions(kubeconfig)


@dataclass
class Installation:
    """Two replicas behind one address, and both configurations. All named as the namespace."""

    cluster: Cluster
    name: str
    port: int
    backends: tuple[int, int]
    kubeconfig: Path
    folder: Path

    @contextmanager
    def replica(self, index: int, log: str, **settings: str) -> Iterator[Process]:
        environment = operator_environment(
            self.kubeconfig,
            self.name,
            webhook_port=str(self.backends[index]),
            webhook_hosts="127.0.0.1",
            webhook_configuration=self.name,
            **settings,
        )
        with running(self.folder / log, environment, "injector") as process:
            yield process

    def configuration(self, kind: str) -> dict[str, Any]:
        """As the chart has it: without a bundle."""
        entry = {
            "name": f"{kind}.penstock.dev",
            "clientConfig": {"url": f"https://127.0.0.1:{self.port}/{kind}"},
            "rules": [
                {
                    "apiGroups": ["penstock.dev"],
                    "apiVersions": ["*"],
                    "operations": ["CREATE"],
                    "resources": ["budgets" if kind == "validate" else "modeltiers"],
                }
            ],
            "namespaceSelector": {"matchLabels": {"test": self.name}},
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "timeoutSeconds": 5,
        }
        return {"metadata": {"name": self.name}, "webhooks": [entry]}

    async def configure(self) -> None:
        for resource, kind in zip(KINDS, ("validate", "mutate"), strict=True):
            await put(self.cluster, resource, self.configuration(kind))

    async def carried(self) -> list[frozenset[bytes]]:
        """Our CAs in each of the two configurations."""
        found = []
        for resource in KINDS:
            (entry,) = (await self.cluster.get(resource, self.name))["webhooks"]
            bundle = base64.b64decode(entry["clientConfig"].get("caBundle", ""))
            found.append(frozenset(each.certificate for each in authorities_in(bundle)))
        return found

    async def trusted(self) -> bool:
        return all(await self.carried())

    async def secret(self) -> dict[str, bytes]:
        data = (await self.cluster.get(SECRETS, SECRET, self.name))["data"]
        return {key: base64.b64decode(text) for key, text in data.items()}

    async def admit(self) -> None:
        """Has the injector deny an object: nothing else says these words."""
        with pytest.raises(Refused, match=r"spec\.timeZone: is no IANA time zone"):
            await self.cluster.create(BUDGETS, budget(self.name, timeZone="Mars/Olympus"))


@pytest.fixture
async def installation(
    cluster: Cluster, kubeconfig: Path, home: str, tmp_path: Path
) -> AsyncIterator[Installation]:
    port, *backends = (free_port() for _ in range(3))
    found = Installation(cluster, home, port, (backends[0], backends[1]), kubeconfig, tmp_path)
    await found.configure()
    yield found
    for resource in KINDS:
        await delete(cluster, resource, home)


@pytest.fixture
async def balancer(installation: Installation) -> AsyncIterator[Balancer]:
    async with balancing(installation.port, installation.backends) as found:
        yield found


class LateApiServer:
    """Speaks to each replica as an API server does that learnt of a bundle a while ago.

    A leaf may be signed by a CA once that is carried for a tenth of a leaf's life.
    """

    SETTLE_SECONDS = LEAF_SECONDS / 10

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._known: deque[tuple[float, list[frozenset[bytes]]]] = deque(maxlen=100)
        self.verified = 0

    async def look(self) -> list[frozenset[bytes]]:
        """The bundles as they are; then every replica is called, with those of some time ago."""
        bundles = await self._installation.carried()
        self._known.append((time.monotonic(), bundles))
        for port in self._installation.backends:
            await self._call(port)
        return bundles

    async def _call(self, port: int) -> None:
        ages = [(time.monotonic() - at, bundles) for at, bundles in self._known]
        late = [each for each in ages if self.SETTLE_SECONDS / 2 < each[0] < self.SETTLE_SECONDS]
        if not late:
            return
        began = time.monotonic() - late[-1][0]
        for trusted in late[-1][1]:
            context = ssl.create_default_context(cadata=b"".join(trusted).decode())
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            except ssl.SSLCertVerificationError:
                assert time.monotonic() - began > self.SETTLE_SECONDS, "trusted too late"
            except OSError:
                continue  # it is being started again
            else:
                writer.close()
                self.verified += 1


@pytest.mark.slow
async def test_pain_07_certificates_rotate_without_one_refused_handshake(
    installation: Installation, balancer: Balancer
) -> None:
    """Leaves and the CA, both replaced, and a replica that crashes; each admission is a handshake.

    A handshake that fails is an answer of another kind than the injector's, and fails the test.
    """
    lives = {"certificate_seconds": str(LEAF_SECONDS), "ca_seconds": str(CA_SECONDS)}
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(installation.replica(index, f"replica-{index}", **lives))
            for index in range(2)
        )
        await eventually(lambda: _serving(first, second))
        await eventually(installation.trusted)
        begun_with = (await installation.secret())["ca.crt"]
        admissions, late = 0, LateApiServer(installation)

        async def went_round() -> bool:
            nonlocal admissions
            await installation.admit()
            await balancer.renew_connections()
            admissions += 1
            gone = all(begun_with not in each for each in await late.look())
            return gone and min(len(_leaves(each)) for each in replicas) > 3

        replicas = [first]
        await _until(lambda: _renewed(second, went_round), seconds=60)
        second.kill()
        replicas.append(stack.enter_context(installation.replica(1, "replica-1-again", **lives)))
        await _until(went_round, seconds=120)
        assert replicas[-1].stop() == replicas[0].stop() == 0
    assert (await installation.secret())["ca.crt"] != begun_with
    assert admissions > 50
    assert late.verified > 50
    assert min(balancer.handed_to.values()) > 20
    for each in replicas:
        assert each.events("certificates.not_kept") == []
        assert each.events("process.failed") == []


def _leaves(process: Process) -> list[dict[str, Any]]:
    return process.events("certificates.leaf_renewed")


async def _until(check: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """As `eventually`, which forgives a check that fails in between: this one does not."""
    deadline = time.monotonic() + seconds
    while not await check():
        assert time.monotonic() < deadline, f"not within {seconds} s"


async def _serving(*processes: Process) -> bool:
    return all(each.events("injector.serving") for each in processes)


async def _renewed(process: Process, admit: Callable[[], Awaitable[bool]]) -> bool:
    """One admission after the other until the process has renewed its leaf twice."""
    await admit()
    return len(_leaves(process)) > 2


@pytest.mark.usefixtures("balancer")
async def test_pain_08_a_bundle_that_is_taken_away_comes_back_within_seconds(
    installation: Installation,
) -> None:
    """GitOps writes the chart's configuration anew, which has none."""
    with installation.replica(0, "replica") as process:
        await eventually(lambda: _serving(process))
        await eventually(installation.trusted)
        before = await installation.carried()
        await installation.configure()
        await eventually(installation.trusted, REPAIR_SECONDS)
        assert await installation.carried() == before
        await installation.admit()
        for resource in KINDS:
            await delete(installation.cluster, resource, installation.name)
        await installation.configure()
        await eventually(installation.trusted, REPAIR_SECONDS)
        await installation.admit()
        assert process.stop() == 0


@pytest.mark.usefixtures("balancer")
async def test_replicas_that_begin_together_and_with_nothing_agree(
    installation: Installation,
) -> None:
    with installation.replica(0, "first") as first, installation.replica(1, "second") as second:
        await eventually(lambda: _serving(first, second))
        await eventually(installation.trusted)
        for _ in range(4):
            await installation.admit()
        secret = await installation.secret()
        assert await installation.carried() == [frozenset({secret["ca.crt"]})] * 2
        assert first.stop() == second.stop() == 0


@pytest.mark.usefixtures("balancer")
async def test_a_deleted_secret_comes_back_with_the_ca_in_use_and_its_successor(
    installation: Installation,
) -> None:
    """How people ask for another CA: `docs/certificates.md`."""
    settings = {"certificate_seconds": "40"}  # rounds are two seconds apart
    with installation.replica(0, "replica", **settings) as process:
        await eventually(lambda: _serving(process))
        await eventually(installation.trusted)
        former = await installation.secret()
        await installation.cluster.delete(SECRETS, SECRET, installation.name)

        async def back() -> bool:
            await installation.admit()
            found = await installation.secret()
            return former["ca.crt"] in found["ca.crt"] and "next.crt" in found

        async def replaced() -> bool:
            await installation.admit()
            return (await installation.secret())["ca.crt"] != former["ca.crt"]

        await eventually(back)
        await eventually(replaced)
        assert former["ca.crt"] in set.union(*map(set, await installation.carried()))
        assert process.stop() == 0


@pytest.mark.usefixtures("balancer")
async def test_a_mounted_certificate_is_served_and_no_ca_is_made(
    installation: Installation, tmp_path: Path
) -> None:
    """As with cert-manager, which writes the bundle too."""
    (tmp_path / "tls").mkdir()
    volume = Volume(tmp_path / "tls")
    volume.renew()
    for resource, kind in zip(KINDS, ("validate", "mutate"), strict=True):
        document = installation.configuration(kind)
        bundle = base64.b64encode(volume.ca.certificate).decode()
        document["webhooks"][0]["clientConfig"]["caBundle"] = bundle
        await put(installation.cluster, resource, document)
    before = await installation.carried()
    with installation.replica(0, "replica", tls_dir=str(volume.folder)) as process:
        await eventually(lambda: _serving(process))
        await installation.admit()
        renewed = volume.renew()

        async def served() -> bool:
            port = installation.backends[0]
            text = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
            return text.encode() in renewed.certificate

        await eventually(served)
        await installation.admit()
        assert process.stop() == 0
    assert await installation.carried() == before
    with pytest.raises(NotFound):
        await installation.secret()


async def test_the_times_of_expiry_are_shown(installation: Installation) -> None:
    settings = {"certificate_seconds": "3600", "ca_seconds": "86400"}
    with installation.replica(0, "replica", **settings) as process:
        await eventually(lambda: _serving(process))
        (serving,) = process.events("injector.serving")
        now = datetime.now(UTC).timestamp()
        shown = await _metrics(serving["probe_port"])
        assert 3000 < shown['certificate="leaf"'] - now <= 3600
        assert 80_000 < shown['certificate="ca"'] - now <= 86_400
        assert process.stop() == 0


async def _metrics(port: int) -> dict[str, float]:

    name = "penstock_operator_certificate_expiry_timestamp_seconds{"
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        lines = [line for line in (await answer.text()).splitlines() if line.startswith(name)]
    return {line.removeprefix(name).split("}")[0]: float(line.split()[-1]) for line in lines}
