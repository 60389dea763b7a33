"""The chart's Redis, started for real with the arguments that the chart renders."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.exceptions import AuthenticationError

from penstock_operator.ledger.login import USER, users_file
from tests.chart.rendering import VARIANTS, Document, Values, named, render
from tests.ports import free_port
from tests.servers.binaries import NAMES, server_named
from tests.servers.server import eventually


def stateful_set(values: Values) -> Document:
    found: Document = named(render(values), "StatefulSet", "penstock-redis")["spec"]
    return found


def container(values: Values) -> Document:
    (found,) = stateful_set(values)["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


@pytest.fixture(params=NAMES)
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """Of a server with the rendered arguments; paths and port are this machine's."""
    (tmp_path / "users.acl").write_text(users_file("word"))
    (tmp_path / "data").mkdir()
    port = free_port()
    here = {"/etc/penstock/users.acl": str(tmp_path / "users.acl"), "/data": str(tmp_path / "data")}
    arguments = [here.get(each, each) for each in container({})["args"]]
    arguments[arguments.index("--port") + 1] = str(port)
    with subprocess.Popen([server_named(request.param), *arguments], cwd=tmp_path) as process:
        try:
            yield port
        finally:
            process.terminate()


def client(port: int, user: str, password: str) -> redis.Redis:
    return redis.Redis(port=port, username=user, password=password, decode_responses=True)


def test_it_starts_and_knows_its_users(port: int) -> None:
    with client(port, USER, "word") as operator:
        eventually(operator.ping, "an answer")
        assert operator.acl_users() == ["default", "penstock-operator", "penstock-probe"]
        assert operator.info("persistence")["aof_enabled"] == 1
        memory = operator.info("memory")
        assert memory["maxmemory"] == 256 * 1024 * 1024
        assert memory["maxmemory_policy"] == "noeviction"
    with redis.Redis(port=port) as nobody, pytest.raises(AuthenticationError):
        nobody.ping()


@pytest.mark.skipif(shutil.which("redis-cli") is None, reason="no redis-cli on PATH")
def test_the_probe_succeeds_once_it_answers(port: int) -> None:
    with client(port, USER, "word") as operator:
        eventually(operator.ping, "an answer")
    shell, flag, text = container({})["readinessProbe"]["exec"]["command"]
    cli = text.replace("redis-cli", f"redis-cli -p {port}", 1)
    assert subprocess.run([shell, flag, cli], check=False, capture_output=True).returncode == 0
    nobody = cli.replace(f"-p {port}", f"-p {free_port()}")
    assert subprocess.run([shell, flag, nobody], check=False, capture_output=True).returncode != 0


def test_data_outlives_the_pod_unless_it_is_asked_not_to() -> None:
    (claim,) = stateful_set(VARIANTS["redis-disk"])["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"]["requests"]["storage"] == "8Gi"
    passing = stateful_set(VARIANTS["redis-in-memory"])
    assert "volumeClaimTemplates" not in passing
    volumes = {volume["name"]: volume for volume in passing["template"]["spec"]["volumes"]}
    assert volumes["data"]["emptyDir"] == {}


def test_it_waits_for_the_secret_that_the_operator_makes() -> None:
    documents = render({})
    pod = named(documents, "Deployment", "penstock-operator")["spec"]["template"]["spec"]
    (maker,) = pod["initContainers"]
    made = {each["name"]: each.get("value") for each in maker["env"]}
    (volume,) = (
        each for each in stateful_set({})["template"]["spec"]["volumes"] if each["name"] == "users"
    )
    assert volume["secret"]["secretName"] == made["PENSTOCK_REDIS_LOGIN_SECRET"] == "penstock-redis"
    assert maker["args"] == ["redis-login"]


def test_a_secret_of_the_user_s_is_used_instead() -> None:
    documents = render(VARIANTS["redis-in-memory"])
    pod = named(documents, "Deployment", "penstock-operator")["spec"]["template"]["spec"]
    assert "initContainers" not in pod
    used = {
        each["valueFrom"]["secretKeyRef"]["name"]
        for each in pod["containers"][0]["env"]
        if "secretKeyRef" in each.get("valueFrom", {})
    }
    assert used == {"mine"}
    assert container(VARIANTS["redis-in-memory"])["args"][-2:] == ["--io-threads", "2"]


def test_only_operator_and_sidecars_reach_it() -> None:
    policy = named(render({}), "NetworkPolicy", "penstock-redis")["spec"]
    (rule,) = policy["ingress"]
    assert rule["ports"] == [{"port": 6379, "protocol": "TCP"}]
    operator, sidecars = rule["from"]
    assert operator["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "operator"
    assert sidecars["podSelector"]["matchLabels"] == {"penstock.dev/inject": "true"}
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in policy
