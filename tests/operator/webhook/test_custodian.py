"""One replica's part in the certificates, when the API server is not as it should be."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from penstock_operator.cluster import Cluster, Conflict, Forbidden, connect
from penstock_operator.cluster.client import MUTATING_WEBHOOKS, SECRETS, VALIDATING_WEBHOOKS
from penstock_operator.metrics import Metrics
from penstock_operator.webhook.authority import Lives
from penstock_operator.webhook.certificates import Pair
from penstock_operator.webhook.custodian import MAX_CONFLICTS, Custodian
from tests.operator.cluster.api_server import api_server
from tests.operator.cluster.object_store import ObjectStore

SECRET = SECRETS.path("own", "penstock-webhook-ca")
CONFIGURATIONS = [each.path(None, "penstock") for each in (VALIDATING_WEBHOOKS, MUTATING_WEBHOOKS)]
HOUR = Lives(leaf=timedelta(hours=1), ca=timedelta(days=1))


class Replica:
    """A custodian, and the leaves that it gave to its server."""

    def __init__(self, cluster: Cluster, lives: Lives) -> None:
        self.leaves: list[Pair] = []
        self._came = asyncio.Event()
        self.custodian = Custodian(
            cluster, ("own", "penstock"), ("a.svc",), lives, self._load, Metrics()
        )

    def _load(self, leaf: Pair) -> None:
        self.leaves.append(leaf)
        self._came.set()

    async def until(self, number: int) -> None:
        while len(self.leaves) < number:
            self._came.clear()
            await self._came.wait()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.custodian.keep())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def store() -> ObjectStore:
    """Both configurations are there, without a bundle."""
    found = ObjectStore()
    for path in CONFIGURATIONS:
        found.objects[path] = {
            "metadata": {"name": "penstock", "resourceVersion": "1"},
            "webhooks": [{"name": "a", "clientConfig": {}}],
        }
    return found


@pytest.fixture
async def cluster(store: ObjectStore, tmp_path: Path) -> AsyncIterator[Cluster]:
    async with api_server(store.answer, tmp_path) as kubeconfig, connect(kubeconfig) as found:
        yield found


def bundles(store: ObjectStore) -> list[bytes]:
    entries: list[Any] = [store.objects[path]["webhooks"][0] for path in CONFIGURATIONS]
    return [base64.b64decode(each["clientConfig"].get("caBundle", "")) for each in entries]


async def test_the_first_round_makes_a_ca_a_leaf_and_trust(
    store: ObjectStore, cluster: Cluster
) -> None:
    replica = Replica(cluster, HOUR)
    assert replica.custodian.missing() == "the CA was not read yet"
    await replica.custodian.begin()
    assert replica.custodian.missing() is None
    assert len(replica.leaves) == 1
    ca = base64.b64decode(store.objects[SECRET]["data"]["ca.crt"])
    assert bundles(store) == [ca, ca]


async def test_a_quiet_round_reads_the_configurations_then_the_secret_and_writes_nothing(
    store: ObjectStore, cluster: Cluster
) -> None:
    """In this order: whoever read an old Secret is told of a conflict, see `custodian`."""
    replica = Replica(cluster, HOUR)
    await replica.custodian.begin()
    store.requests.clear()
    await replica.custodian.begin()
    assert store.requests == [("GET", path) for path in (*CONFIGURATIONS, SECRET)]
    assert len(replica.leaves) == 1


async def test_a_second_replica_takes_what_the_first_made(
    store: ObjectStore, cluster: Cluster
) -> None:
    await Replica(cluster, HOUR).custodian.begin()
    before = store.objects[SECRET]
    second = Replica(cluster, HOUR)
    await second.custodian.begin()
    assert store.objects[SECRET] == before
    assert second.custodian.missing() is None


async def test_without_any_configuration_nothing_is_waited_for(
    store: ObjectStore, cluster: Cluster
) -> None:
    store.objects.clear()
    replica = Replica(cluster, HOUR)
    await replica.custodian.begin()
    assert replica.custodian.missing() is None


@pytest.mark.parametrize("path", CONFIGURATIONS)
async def test_a_configuration_that_may_not_be_written_is_said_by_readiness(
    store: ObjectStore, cluster: Cluster, path: str
) -> None:
    store.answers["PUT", path] = 403
    replica = Replica(cluster, HOUR)
    await replica.custodian.begin()
    assert "do not carry our CA" in (replica.custodian.missing() or "")
    store.answers.clear()
    await Replica(cluster, HOUR).custodian.begin()
    store.answers["PUT", path] = 403
    await replica.custodian.begin()
    assert replica.custodian.missing() is None, "another replica wrote it"


async def test_configurations_that_may_not_be_read_do_not_stop_the_certificates(
    store: ObjectStore, cluster: Cluster
) -> None:
    store.answers = {("GET", path): 403 for path in CONFIGURATIONS}
    replica = Replica(cluster, HOUR)
    await replica.custodian.begin()
    assert len(replica.leaves) == 1
    assert "do not carry our CA" in (replica.custodian.missing() or "")


async def test_without_a_right_on_the_secret_it_does_not_begin(
    store: ObjectStore, cluster: Cluster
) -> None:
    store.answers["GET", SECRET] = 403
    with pytest.raises(Forbidden):
        await Replica(cluster, HOUR).custodian.begin()


async def test_a_fight_over_the_secret_ends(store: ObjectStore, cluster: Cluster) -> None:
    store.answers["PATCH", SECRET] = 409
    with pytest.raises(Conflict, match=str(MAX_CONFLICTS)):
        await Replica(cluster, HOUR).custodian.begin()


async def test_a_leaf_is_renewed_also_while_the_api_server_is_away(
    store: ObjectStore, cluster: Cluster
) -> None:
    """An expired one would be refused for sure."""
    replica = Replica(cluster, Lives(leaf=timedelta(seconds=2), ca=timedelta(days=1)))
    await replica.custodian.begin()
    store.answers = {("GET", path): 503 for path in (*CONFIGURATIONS, SECRET)}
    async with replica.kept():
        await replica.until(3)
    assert replica.custodian.missing() is None


async def test_an_expired_leaf_is_said_by_readiness(cluster: Cluster) -> None:
    replica = Replica(cluster, Lives(leaf=timedelta(seconds=-1), ca=timedelta(days=1)))
    await replica.custodian.begin()
    assert "expired" in (replica.custodian.missing() or "")


async def test_a_secret_that_cannot_be_read_is_made_anew_around_the_ca_in_use(
    store: ObjectStore, cluster: Cluster
) -> None:
    replica = Replica(cluster, HOUR)
    await replica.custodian.begin()
    (ca, _) = bundles(store)
    store.objects[SECRET]["data"] = {"ca.crt": "bm90aGluZw==", "retired.json": "W10="}
    await replica.custodian.begin()
    data = store.objects[SECRET]["data"]
    assert base64.b64decode(data["ca.crt"]) == ca
    assert "next.key" in data
    assert all(ca in each for each in bundles(store))
