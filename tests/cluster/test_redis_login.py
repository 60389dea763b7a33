"""The Secrets that the chart's parts share: made once, whoever begins first."""

import asyncio
import base64
from pathlib import Path

import pytest

from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import SECRETS
from penstock_operator.handlers.login_secret import embedder_login, make_once, redis_login
from tests.cluster.objects import with_definitions
from tests.cluster.processes import operator_environment, running

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def server(kubeconfig: Path) -> Path:
    return with_definitions(kubeconfig)


async def password(cluster: Cluster, namespace: str) -> str:
    document = await cluster.get(SECRETS, "login", namespace)
    return base64.b64decode(document["data"]["password"]).decode()


async def test_it_is_made_once(cluster: Cluster, own: str) -> None:
    assert await make_once(cluster, redis_login(own, "login"), "a")
    first = await password(cluster, own)
    assert len(first) > 40
    assert not await make_once(cluster, redis_login(own, "login"), "b")
    assert await password(cluster, own) == first


async def test_of_replicas_that_begin_together_one_makes_it(cluster: Cluster, own: str) -> None:
    names = [f"penstock-operator-{number}" for number in range(8)]
    calls = (make_once(cluster, redis_login(own, "login"), name) for name in names)
    made = await asyncio.gather(*calls)
    assert made.count(True) == 1


async def test_what_people_put_there_stays(cluster: Cluster, own: str) -> None:
    theirs = {"metadata": {"name": "login", "namespace": own}, "stringData": {"password": "mine"}}
    await cluster.create(SECRETS, theirs)
    assert not await make_once(cluster, redis_login(own, "login"), "a")
    assert await password(cluster, own) == "mine"


async def test_the_embedder_s_holds_a_secret_and_a_password(cluster: Cluster, own: str) -> None:
    assert await make_once(cluster, embedder_login(own, "login"), "a")
    document = await cluster.get(SECRETS, "login", own)
    values = {key: base64.b64decode(text).decode() for key, text in document["data"].items()}
    assert values.keys() == {"secret", "redis-password"}
    assert len({*values.values()}) == 2
    assert min(map(len, values.values())) > 40


@pytest.mark.parametrize("part", ["redis", "embedder"])
async def test_the_process_makes_it_ends_and_tells_nobody(
    cluster: Cluster, own: str, kubeconfig: Path, tmp_path: Path, part: str
) -> None:
    named = {f"{part}_login_secret": "login"}
    environment = operator_environment(kubeconfig, own, **named)
    with running(tmp_path / "log", environment, f"{part}-login") as process:
        assert process.popen.wait(30) == 0, process.log
    assert process.events(f"{part}_login.made")
    document = await cluster.get(SECRETS, "login", own)
    for text in document["data"].values():
        assert base64.b64decode(text).decode() not in process.log
