"""Which namespaces are written, which are left alone, and what a failure stops."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from penstock_config.codec import digest, encode
from penstock_config.credentials import Credentials
from penstock_config.older import as_version_1, credentials_as_version_1
from penstock_config.schema import SidecarConfig
from penstock_operator.cluster import Cluster, connect
from penstock_operator.compile.files import ConfigFiles
from penstock_operator.handlers.compilation import Outcome
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.handlers.publishing import Publisher
from penstock_operator.metrics import Metrics
from penstock_operator.plan import Published
from tests.cluster.objects import policy
from tests.operator.cluster.api_server import api_server, status
from tests.operator.handlers.bodies import meta

CREDENTIALS = Credentials(scope_key=SecretStr("hush"))


class Calls:
    """Keeps the writes; namespaces in `broken` refuse them."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []
        self.broken: set[str] = set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        namespace, what = request.path.split("/")[4:6]
        if namespace in self.broken:
            return status(500, "etcd is away")
        self.made.append((request.method, f"{namespace}/{what}"))
        return web.json_response({})


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
async def cluster(calls: Calls, tmp_path: Path) -> AsyncIterator[Cluster]:
    async with api_server(calls.answer, tmp_path) as kubeconfig, connect(kubeconfig) as found:
        yield found


def outcome(*namespaces: str, **more: frozenset[str]) -> Outcome:
    configs = {name: SidecarConfig(cluster="c", namespace=name) for name in namespaces}
    files = {name: ConfigFiles.of(config) for name, config in configs.items()}
    return Outcome(configs, files, dict.fromkeys(namespaces, CREDENTIALS), (), **more)


def inventory(*namespaces: str) -> Inventory:
    found = Inventory()
    for name in namespaces:
        found.note_namespace(meta("Namespace", name, ""))
    return found


async def test_credentials_are_written_before_the_configuration(
    cluster: Cluster, calls: Calls
) -> None:
    there = inventory("a")
    publisher = Publisher(cluster, there, Metrics())
    written = await publisher.publish(outcome("a"), cluster_wide=True)
    assert calls.made == [("PATCH", "a/secrets"), ("PATCH", "a/configmaps")]
    assert (written.pending, written.failed) == (frozenset(), {})
    await publisher.publish(outcome("a"), cluster_wide=True)
    assert len(calls.made) == 2, "what we wrote is known at once"


async def test_a_failure_is_told_and_stops_no_other_namespace(
    cluster: Cluster, calls: Calls
) -> None:
    there = inventory("a", "b")
    calls.broken = {"a"}
    written = await Publisher(cluster, there, Metrics()).publish(
        outcome("a", "b"), cluster_wide=True
    )
    assert "etcd is away" in written.failed["a"]
    assert ("PATCH", "b/configmaps") in calls.made
    assert there.published.keys() == {"b"}


async def test_the_configuration_goes_before_its_credentials(
    cluster: Cluster, calls: Calls
) -> None:
    there = inventory("a")
    there.scope_keys["a"] = "hush"
    there.note_written("a", Published("x", "y"))
    await Publisher(cluster, there, Metrics()).publish(outcome(), cluster_wide=True)
    assert calls.made == [("DELETE", "a/configmaps"), ("DELETE", "a/secrets")]
    assert (there.published, there.scope_keys) == ({}, {})


async def test_a_namespace_that_is_being_deleted_is_left_alone(
    cluster: Cluster, calls: Calls
) -> None:
    there = inventory()
    there.note_written("b", Published("x", "y"))
    publisher = Publisher(cluster, there, Metrics())
    written = await publisher.publish(outcome("a"), cluster_wide=True)
    assert calls.made == []
    assert written.pending == {"a", "b"}
    await publisher.publish(outcome("a"), cluster_wide=False)
    assert ("PATCH", "a/configmaps") in calls.made, "within namespaces nobody tells"


@pytest.mark.parametrize("why", ["withheld", "failed"])
async def test_what_was_not_compiled_stays_as_it_is(
    cluster: Cluster, calls: Calls, why: str
) -> None:
    there = inventory("a")
    there.note_written("a", Published("x", "y"))
    kept = outcome(**{why: frozenset({"a"})})
    written = await Publisher(cluster, there, Metrics()).publish(kept, cluster_wide=True)
    assert calls.made == []
    assert written.pending == {"a"}


async def test_a_policy_that_does_not_parse_does_not_take_the_configuration_away(
    cluster: Cluster, calls: Calls
) -> None:
    there = inventory("a")
    there.note_written("a", Published("x", "y"))
    bad = policy("a", colour="red")
    bad["metadata"] |= {"uid": "u", "resourceVersion": "1"}
    there.note_object(bad)
    await Publisher(cluster, there, Metrics()).publish(outcome(), cluster_wide=True)
    assert calls.made == []


async def test_unchanged_files_are_not_sent(cluster: Cluster, calls: Calls) -> None:
    there = inventory("a")
    config = SidecarConfig(cluster="c", namespace="a")
    older = as_version_1(config).data
    secrets = credentials_as_version_1(CREDENTIALS)
    names = (digest(data) for data in (encode(config), encode(CREDENTIALS), older, secrets))
    there.note_written("a", Published(*names))
    await Publisher(cluster, there, Metrics()).publish(outcome("a"), cluster_wide=True)
    assert calls.made == []
