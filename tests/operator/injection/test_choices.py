"""Annotations that change a pod's sidecar, within bounds."""

from typing import Any

import pytest

from tests.operator.injection.pods import TEMPLATE, env_of, injected, outcome_of, pod, sidecar_of

DEFAULTS = {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": "256Mi"}}


def annotated(*, grace: Any = 30, **choices: str) -> Any:
    annotations = {f"penstock.dev/{key.replace('_', '-')}": text for key, text in choices.items()}
    return pod(meta={"annotations": annotations}, terminationGracePeriodSeconds=grace)


def test_pain_15_resources_are_there_and_can_be_set() -> None:
    assert sidecar_of(injected(pod()))["resources"] == DEFAULTS == TEMPLATE.resources
    chosen = annotated(cpu_request="200m", cpu_limit="1", memory_request="1Gi", memory_limit="2Gi")
    assert outcome_of(chosen).warnings == ()
    assert sidecar_of(injected(chosen))["resources"] == {
        "requests": {"cpu": "200m", "memory": "1Gi"},
        "limits": {"cpu": "1", "memory": "2Gi"},
    }


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("cpu_request", "9", "cpu from 1m to 8"),
        ("cpu_limit", "1m", "cpu from 100m to 8"),
        ("cpu_limit", "64Mi", "cpu from"),
        ("cpu_limit", "-1", "cpu from"),
        ("memory_request", "1m", "memory from 32Mi to 8Gi"),
        ("memory_limit", "1e3", "memory from 96Mi to 8Gi"),
        ("memory_limit", "\uff11Gi", "memory from"),
        ("memory_limit", "", "memory from"),
        ("drain_seconds", "26", "1 to 25, 5 less than terminationGracePeriodSeconds"),
        ("drain_seconds", "0", "1 to 25"),
        ("drain_seconds", "1.5", "1 to 25"),
        ("log_level", "LOUD", "debug, info, warning, error"),
        ("port", "80", "a port from 1024 to 65535"),
        ("probe_port", "http", "a port from"),
        ("admin_port", "65536", "a port from"),
        ("port", "9" * 5000, "a port from"),
        ("port", "\n😀" * 100, "a port from"),
    ],
)
def test_a_wrong_value_is_told_and_the_default_taken(name: str, text: str, expected: str) -> None:
    document = annotated(**{name: text})
    (warning,) = outcome_of(document).warnings
    assert warning.startswith(
        f"Penstock takes its default for penstock.dev/{name.replace('_', '-')}="
    )
    assert expected in warning
    assert warning.isascii()
    assert len(warning) <= 256
    assert sidecar_of(injected(document)) == sidecar_of(injected(annotated()))


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"memory_request": "512Mi"}, "512Mi is more than 256Mi"),
        ({"cpu_request": "2", "cpu_limit": "1500m"}, "2 is more than 1500m"),
    ],
)
def test_a_request_above_its_limit_would_be_refused_and_so_is_not_taken(
    choices: dict[str, str], said: str
) -> None:
    document = annotated(**choices)
    (warning,) = outcome_of(document).warnings
    assert said in warning
    assert sidecar_of(injected(document))["resources"] == DEFAULTS


def test_two_ports_cannot_be_the_same() -> None:
    document = annotated(port="4142")
    (warning,) = outcome_of(document).warnings
    assert "two of them are the same" in warning
    assert env_of(sidecar_of(injected(document)))["PENSTOCK_PORT"] == "4141"


@pytest.mark.parametrize(
    ("grace", "chosen", "expected"), [(30, "10", "10"), (300, "200", "200"), (300, None, "295")]
)
def test_pain_03_a_drain_lasts_as_long_as_the_pod_may(
    grace: int, chosen: str | None, expected: str
) -> None:
    document = annotated(grace=grace, **({"drain_seconds": chosen} if chosen else {}))
    assert env_of(sidecar_of(injected(document)))["PENSTOCK_DRAIN_SECONDS"] == expected


@pytest.mark.parametrize("grace", [0, 1, 5])
def test_a_pod_with_hardly_any_time_drains_a_second(grace: int) -> None:
    assert env_of(sidecar_of(injected(annotated(grace=grace))))["PENSTOCK_DRAIN_SECONDS"] == "1"


def test_the_log_level_can_be_set() -> None:
    env = env_of(sidecar_of(injected(annotated(log_level="debug"))))
    assert env["PENSTOCK_LOG_LEVEL"] == "debug"
