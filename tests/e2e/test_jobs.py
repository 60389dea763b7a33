"""Pains 1 to 3: Jobs end, the first call is served, and so is the last."""

import json
from concurrent.futures import ThreadPoolExecutor

from tests.e2e import objects
from tests.e2e.images.provider import LONG
from tests.e2e.kubectl import Kubectl
from tests.e2e.objects import TEAM_A
from tests.e2e.stage import FIRST, Stage

JOB_SECONDS = 90
COMPLETIONS = 3


def test_pain_01_02_jobs_complete_and_their_first_call_is_served(stage: Stage) -> None:
    """Without native sidecars as documented: the job's last act is `POST localhost:4143/quit`.

    Its first act is the only call: no retry, no waiting, and no second try by the Job.
    """
    kubectl = stage.kubectl
    kubectl.apply(objects.job(stage.images, TEAM_A, "work", COMPLETIONS, "app.py", "job", "auto"))
    kubectl.wait("condition=complete", "job/work", TEAM_A, JOB_SECONDS)
    pods = stage.pod_names(TEAM_A, "job-name=work")
    said = [stage.lines(TEAM_A, pod) for pod in pods]
    assert [lines[0]["outcome"] for lines in said] == [FIRST] * COMPLETIONS
    assert [lines[1]["quit"] for lines in said] == [202] * COMPLETIONS
    status = kubectl.get("job", "work", TEAM_A)["status"]
    kubectl.delete("job", "work", TEAM_A)
    assert status["succeeded"] == COMPLETIONS
    assert status.get("failed", 0) == 0


def test_pain_03_a_stream_ends_whole_when_its_pod_is_stopped(stage: Stage) -> None:
    """And the sidecar ends after the application."""
    kubectl = stage.kubectl
    streaming = objects.pod(
        stage.images, TEAM_A, "leaving", "app.py", "stream", "steady", app="app"
    )
    kubectl.apply(streaming)
    kubectl.wait("condition=Ready", "pod/leaving", TEAM_A)
    with ThreadPoolExecutor(2) as threads:
        app = threads.submit(_follow, kubectl, "app")
        sidecar = threads.submit(_follow, kubectl, "penstock")
        kubectl.delete("pod", "leaving", TEAM_A)
        lines, app_ended = app.result()
        _, sidecar_ended = sidecar.result()
    said = [json.loads(line) for line in lines if line.startswith("{")]
    whole = {"words": LONG["steady"], "finish": "stop"}
    assert {"stream": whole, "stopping": True}.items() <= said[-2].items(), said
    assert said[-1]["outcome"] == "stopped"
    assert sidecar_ended >= app_ended


def _follow(kubectl: Kubectl, container: str) -> tuple[list[str], str]:
    """A container's log to its end, and the time of its last line."""
    where = ("logs", "-f", "--timestamps", "leaving", "-n", TEAM_A, "-c", container)
    lines = [line.split(" ", 1) for line in kubectl.run(*where).splitlines()]
    return [text for _, text in lines], lines[-1][0]
