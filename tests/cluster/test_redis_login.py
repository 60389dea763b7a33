"""The Secret with the login at the chart's Redis: made once, whoever begins first."""

import asyncio
import base64
from pathlib import Path

import pytest

from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import SECRETS
from penstock_operator.handlers.login_secret import make_login
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
    assert await make_login(cluster, own, "login", "a")
    first = await password(cluster, own)
    assert len(first) > 40
    assert not await make_login(cluster, own, "login", "b")
    assert await password(cluster, own) == first


async def test_of_replicas_that_begin_together_one_makes_it(cluster: Cluster, own: str) -> None:
    names = [f"penstock-operator-{number}" for number in range(8)]
    made = await asyncio.gather(*(make_login(cluster, own, "login", name) for name in names))
    assert made.count(True) == 1


async def test_what_people_put_there_stays(cluster: Cluster, own: str) -> None:
    theirs = {"metadata": {"name": "login", "namespace": own}, "stringData": {"password": "mine"}}
    await cluster.create(SECRETS, theirs)
    assert not await make_login(cluster, own, "login", "a")
    assert await password(cluster, own) == "mine"


async def test_the_process_makes_it_ends_and_tells_nobody(
    cluster: Cluster, own: str, kubeconfig: Path, tmp_path: Path
) -> None:
    environment = operator_environment(kubeconfig, own, redis_login_secret="login")
    with running(tmp_path / "log", environment, "redis-login") as process:
        assert process.popen.wait(30) == 0, process.log
    assert process.events("redis_login.made")
    assert await password(cluster, own) not in process.log
