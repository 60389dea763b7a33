"""An application in a pod: what it gets, what limits it, and what it never finds."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

from tests.e2e import objects
from tests.e2e.images.provider import LONG
from tests.e2e.objects import TEAM_A, TEAM_B
from tests.e2e.stage import REPLICAS, Stage, container_of, container_status

LIMIT = 90
OFFERED_EACH = 60


def test_an_apps_pods_get_a_sidecar_that_is_ready(stage: Stage) -> None:
    pods = stage.pods(TEAM_A)
    assert len(pods) == REPLICAS
    for pod in pods:
        assert container_status(pod, "penstock")["ready"]
        assert container_status(pod, "app")["ready"]
        annotations = pod["metadata"]["annotations"]
        assert json.loads(annotations["penstock.dev/injected"])["mode"] in ("container", "native")
        assert annotations["kubectl.kubernetes.io/default-container"] == "app"
        assert pod["metadata"]["labels"]["penstock.dev/inject"] == "true"
        assert pod["metadata"]["labels"]["penstock.dev/sidecar-version"]


def test_the_openai_client_gets_plain_answers_and_streams(stage: Stage) -> None:
    (pod, *_) = stage.pod_names(TEAM_A)
    once = stage.kubectl.program_in(pod, TEAM_A, "python", "app.py", "once", "auto")
    assert json.loads(once)["outcome"] == "200 This is first speaking."
    stream = stage.kubectl.begin_in(pod, TEAM_A, "python", "app.py", "words", "steady")
    assert stream.last_line()["stream"] == {"words": LONG["steady"], "finish": "stop"}


def test_limits_hold_over_three_replicas_together(stage: Stage) -> None:
    """Where Redis counts: else each sidecar whose Redis is late admits its share beside that, as
    `onRedisLoss: LocalShare` promises, and on a busy machine it may be late."""
    kubectl = stage.kubectl
    limit = {"name": "all", "per": "App", "requestsPerMinute": LIMIT}
    selector = {"matchLabels": {"app": "crowd"}}
    kubectl.apply(
        objects.policy(
            TEAM_A, "crowd", "first", selector=selector, limits=[limit], onRedisLoss="Closed"
        ),
        objects.deployment(
            stage.images, TEAM_A, "crowd", "app.py", "idle", "auto", replicas=REPLICAS
        ),
    )
    kubectl.rolled_out("deployment/crowd", TEAM_A)
    stage.at_work(TEAM_A, "crowd", REPLICAS)
    pods = stage.pod_names(TEAM_A, "app=crowd")
    burst = ("python", "app.py", "burst", "auto", str(OFFERED_EACH))
    with ThreadPoolExecutor(len(pods)) as threads:
        said = threads.map(lambda pod: kubectl.program_in(pod, TEAM_A, *burst), pods)
        outcomes = [json.loads(each)["outcomes"] for each in said]
    kubectl.delete("deployment", "crowd", TEAM_A)
    kubectl.delete("routepolicy", "crowd", TEAM_A)

    admitted = [each.get("200 This is first speaking.", 0) for each in outcomes]
    refused = sum(sum(each.values()) for each in outcomes) - sum(admitted)
    told = {code for each in outcomes for code in each if not code.startswith("200 ")}
    codes = told - {"503 limiter_unavailable"}
    assert len(admitted) == REPLICAS
    assert 0.98 * LIMIT <= sum(admitted) <= LIMIT, outcomes
    assert sum(admitted) + refused == REPLICAS * OFFERED_EACH
    assert codes == {"429 rate_limit_exceeded"}, told


def test_the_app_finds_no_key_in_its_container(stage: Stage) -> None:
    """Nor in its environment, its files, `/proc`, or on any port of the sidecar."""
    (pod, *_) = stage.pod_names(TEAM_A)
    key = stage.keys["keys"]
    looked, found = _search(stage, pod, key)
    assert found == []
    assert looked > 1000


def test_a_key_that_lies_in_the_container_would_be_found(stage: Stage) -> None:
    """Otherwise the test before this one would show nothing."""
    (pod, *_) = stage.pod_names(TEAM_A)
    key = stage.keys["keys"]
    encoded = base64.b64encode(f'{{"a":"{key}"}}'.encode()).decode()
    write = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    for name, text in (("plain", key), ("encoded", encoded)):
        stage.kubectl.program_in(pod, TEAM_A, "python", "-c", write, f"/tmp/{name}", stdin=text)
    _, found = _search(stage, pod, key)
    stage.kubectl.program_in(pod, TEAM_A, "rm", "/tmp/plain", "/tmp/encoded")
    assert sorted(found) == ["/tmp/encoded", "/tmp/plain"]


def test_only_the_sidecar_mounts_what_is_secret(stage: Stage) -> None:
    for pod in stage.pods(TEAM_A):
        mounted = {mount["name"] for mount in container_of(pod, "app")["volumeMounts"]}
        assert mounted == {"scratch"}
        assert "shareProcessNamespace" not in pod["spec"]


def test_redis_refuses_the_app_and_anothers_namespace(stage: Stage) -> None:
    """Without a login, with a guessed one, and with namespace A's user on namespace B's keys."""
    (pod, *_) = stage.pod_names(TEAM_A)
    access = _redis_access(stage, TEAM_A)
    others = _redis_access(stage, TEAM_B)
    url = access["url"]
    own_key, foreign_key = (f"{{default:n:{team}}}:state" for team in (TEAM_A, TEAM_B))

    (nobody,) = _redis(stage, pod, url, None, None, ["PING"])
    assert nobody.startswith("error AuthenticationError"), nobody
    (guessed,) = _redis(stage, pod, url, "default", "penstock", ["PING"])
    assert guessed.startswith("error"), guessed
    assert access["username"] != others["username"]
    commands = (["PING"], ["HGET", own_key, "@epoch"], ["HGET", foreign_key, "@epoch"])
    answers = _redis(stage, pod, url, access["username"], access["password"], *commands)
    assert answers[0] in ("True", "PONG"), answers
    assert not answers[1].startswith("error"), answers
    assert "NoPermission" in answers[2], answers
    (foreign,) = _redis(stage, pod, url, others["username"], access["password"], ["PING"])
    assert foreign.startswith("error"), "passwords differ"


def _search(stage: Stage, pod: str, key: str) -> tuple[int, list[str]]:
    """How many places were looked at, and those that hold the key."""
    said = stage.kubectl.program_in(pod, TEAM_A, "python", "search.py", stdin=json.dumps([key]))
    report = json.loads(said)
    return report["looked"], report["found"]


def _redis_access(stage: Stage, namespace: str) -> dict[str, str]:
    """The way to Redis that the sidecars of a namespace have."""
    secret = stage.kubectl.get("secret", "penstock-credentials", namespace)
    (text, *_) = [v for name, v in sorted(secret["data"].items()) if name.endswith(".json")]
    access: dict[str, str] = json.loads(base64.b64decode(text))["redis"]
    return access


def _redis(
    stage: Stage,
    pod: str,
    url: str,
    username: str | None,
    password: str | None,
    *commands: list[str],
) -> list[str]:
    asked = {"url": url, "username": username, "password": password, "commands": commands}
    said = stage.kubectl.program_in(
        pod, TEAM_A, "python", "redis_client.py", stdin=json.dumps(asked)
    )
    answers: list[str] = json.loads(said)
    return answers
