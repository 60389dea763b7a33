"""Models on the cluster's own GPUs: run by the operator, woken by a request, laid to rest again."""

import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.e2e import gpus, objects
from tests.e2e.kubectl import Document, eventually
from tests.e2e.objects import MODELS, TEAM_A
from tests.e2e.stage import Stage

LARGE, SMALL = "llama3.1:8b", "llama3.2:1b"
MISSING: Final = "missing:1b"
MISSING_WORDS: Final = "pull model manifest: file does not exist"
PROVIDER, BROKEN, APP = "gpus", "broken", "gpu-app"
IDLE_SECONDS: Final = 60
"""The shortest that the API takes."""
WAKE_SECONDS: Final = 90
EVICTED_SECONDS: Final = 10
EVICT: Final = (
    "import urllib.request as u; u.urlopen(u.Request('http://localhost:11434/fake/evict',"
    f' data=b\'{{"model": "{LARGE}", "nextLoadSeconds": 15}}\'))'
)


@pytest.fixture(scope="module")
def node(stage: Stage) -> Iterator[str]:
    """A provider that nobody has asked yet, one that cannot come to be, and an application."""
    kubectl, images = stage.kubectl, stage.images
    selector = {"matchLabels": {"app": APP}}
    with gpus.granted(kubectl) as name:
        documents = (
            objects.ollama(
                images,
                PROVIDER,
                LARGE,
                SMALL,
                gpu={},
                autoscaling={"min": 0, "max": 1, "scaleToZeroAfterSeconds": IDLE_SECONDS},
            ),
            objects.ollama(images, BROKEN, MISSING, gpu={}),
            objects.tier(PROVIDER, PROVIDER, LARGE),
            objects.policy(TEAM_A, APP, PROVIDER, selector=selector),
            objects.pod(images, TEAM_A, APP, "app.py", "idle", "auto"),
        )
        try:
            kubectl.apply(*documents)
            kubectl.wait("condition=Ready", f"pod/{APP}", TEAM_A)
            yield name
        finally:
            for document in reversed(documents):
                meta = document["metadata"]
                where = (document["kind"], meta["name"], meta["namespace"])
                kubectl.delete(*where, "--wait=false")


def status(stage: Stage, name: str = PROVIDER) -> Document:
    found: Document = stage.kubectl.get("llmprovider", name, MODELS).get("status", {})
    return found


def condition(stage: Stage, kind: str, name: str = PROVIDER) -> tuple[str, str, str]:
    """Its status, reason and message; empty before it is said."""
    for each in status(stage, name).get("conditions", ()):
        if each["type"] == kind:
            return each["status"], each["reason"], each["message"]
    return "", "", ""


def replicas(stage: Stage) -> list[Document]:
    return list(stage.pods(MODELS, f"penstock.dev/provider={PROVIDER}"))


def is_ready(pod: Document) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def is_served(stage: Stage) -> bool:
    return condition(stage, "ModelsReady")[0] == "True"


def test_without_a_request_nothing_runs(stage: Stage, node: str) -> None:
    eventually(lambda: condition(stage, "ModelsReady")[1] == "NoReplica")
    found = status(stage)
    assert (found["replicas"], found["readyReplicas"]) == (0, 0)
    assert replicas(stage) == []
    assert node


def test_the_first_request_wakes_it_and_is_answered(stage: Stage, node: str) -> None:
    """On the GPU that was planned; its status shows the way there."""
    begun = time.monotonic()
    asked = stage.kubectl.begin_in(APP, TEAM_A, "python", "app.py", "once", "auto")
    shown: dict[str, Any] = {}

    def pulled() -> bool:
        for model in status(stage).get("loading", ()):
            if model["state"] == "Pulling" and model.get("percent", 0) > 0:
                shown.update(model)
        return bool(shown)

    eventually(pulled, WAKE_SECONDS)
    assert shown["name"] in {LARGE, SMALL}
    assert 0 < shown["percent"] < 100
    assert asked.last_line()["outcome"] == f"200 This is {LARGE} speaking."
    seconds = time.monotonic() - begun
    stage.figures.within("models: first request of a provider at zero", seconds, WAKE_SECONDS)
    eventually(lambda: is_served(stage))
    eventually(lambda: condition(stage, "FullyOnGPU")[0] == "True")
    assert condition(stage, "Scheduled")[:2] == ("True", "Placed")
    (place,) = status(stage)["placement"]
    assert (place["node"], place["readyReplicas"]) == (node, 1)
    (pod,) = replicas(stage)
    (ollama,) = (each for each in pod["spec"]["containers"] if each["name"] == "ollama")
    assert ollama["resources"]["limits"][gpus.RESOURCE] == "1"


def test_a_failing_pull_is_shown_in_the_servers_words(stage: Stage, node: str) -> None:
    def failed() -> bool:
        said = ("False", "PullFailed", f"{MISSING}: {MISSING_WORDS}")
        assert condition(stage, "ModelsReady", BROKEN) == said, node
        return True

    eventually(failed)
    (model,) = status(stage, BROKEN)["loading"]
    assert (model["state"], model["message"]) == ("Failed", MISSING_WORDS)


def test_at_19_a_replica_that_lost_its_model_is_not_ready_until_it_has_it(
    stage: Stage, node: str
) -> None:
    (pod,) = replicas(stage)
    assert is_ready(pod), node
    name = pod["metadata"]["name"]
    stage.kubectl.program_in(name, MODELS, "python", "-c", EVICT, container="ollama")
    begun = time.monotonic()
    eventually(lambda: not is_ready(stage.kubectl.get("pod", name, MODELS)))
    seconds = time.monotonic() - begun
    stage.figures.within("models: evicted until not ready", seconds, EVICTED_SECONDS)
    eventually(lambda: is_ready(stage.kubectl.get("pod", name, MODELS)))


def test_who_is_not_asked_any_more_goes_back_to_zero(stage: Stage, node: str) -> None:
    eventually(lambda: replicas(stage) == [], IDLE_SECONDS + 30)
    assert status(stage)["replicas"] == 0, node
    assert condition(stage, "ModelsReady")[1] == "NoReplica"
