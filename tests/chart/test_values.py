"""The values: a typo is an error, each is explained, and what cannot be is refused by name."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.chart.rendering import BEFORE_ALL, CHART, NEWEST, VARIANTS, Values, run, template
from tests.chart.values_table import leaves, page, rows

VALUES: Mapping[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
SCHEMA: Mapping[str, Any] = json.loads((CHART / "values.schema.json").read_text("utf-8"))
OPEN = {
    "affinity",
    "nodeSelector",
    "resources",
    "podAnnotations",
    "podLabels",
    "labels",
    "issuerRef",
    "environment",
}
"""Values whose keys are Kubernetes's or the user's."""


def sections(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Each place where a key may be mistyped."""
    yield path
    for key, value in values.items():
        if isinstance(value, dict) and key not in OPEN:
            yield from sections(value, (*path, key))


def nested(path: tuple[str, ...], value: Any) -> Any:
    for key in reversed(path):
        value = {key: value}
    return value


@pytest.mark.parametrize("path", [*sections(VALUES)], ids=lambda path: ".".join(path) or "top")
def test_a_typo_is_an_error_that_names_it(path: tuple[str, ...]) -> None:
    done = template(nested((*path, "enbled"), value=True))
    assert done.returncode != 0
    assert "enbled" in done.stderr


def schema_keys(schema: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    schema = SCHEMA["definitions"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    inner = schema.get("properties", {})
    if not inner or (path and path[-1] in OPEN):
        yield ".".join(path)
        return
    for key, value in inner.items():
        yield from schema_keys(value, (*path, key))


def closed_leaves() -> set[str]:
    """As `leaves`, an open value being one."""
    found = set()
    for path in leaves(VALUES):
        keys = path.split(".")
        end = next((n for n, key in enumerate(keys) if key in OPEN), len(keys))
        found.add(".".join(keys[: end + 1]))
    return found


def test_schema_and_values_have_the_same_keys() -> None:
    assert set(schema_keys(SCHEMA)) - {"global"} == closed_leaves()


def test_every_value_is_explained() -> None:
    explained = {row.path for row in rows((CHART / "values.yaml").read_text("utf-8"))}
    assert {
        path
        for path in closed_leaves()
        if not any(path == each or path.startswith(f"{each}.") for each in explained)
    } == set()


def test_the_table_in_the_readme_is_current() -> None:
    """`python -m tests.chart.values_table` writes it."""
    text = (CHART / "README.md").read_text("utf-8")
    assert page(text) == text


def test_defaults_fit_the_schema_with_a_parent_chart_s_globals() -> None:
    assert template({"global": {"imageRegistry": "x"}}).returncode == 0


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"logLevel": "loud"}, "logLevel"),
        ({"operator": {"replicas": "two"}}, "operator.replicas"),
        ({"injector": {"failurePolicy": "Maybe"}}, "injector.failurePolicy"),
        ({"images": {"operator": {"digest": "1234"}}}, "images.operator.digest"),
        ({"providerNamespaces": ["*"]}, "providerNamespaces"),
        ({"watchNamespaces": "team-a"}, "watchNamespaces"),
        ({"externalRedis": {"url": "redis://user:word@redis:6379"}}, "externalRedis.url"),
        ({"redis": {"cli": "redis-cli; rm"}}, "redis.cli"),
        ({"cluster": "two words"}, "cluster"),
        ({"warming": {"configMaps": ["*"]}}, "warming.configMaps"),
        ({"embedder": {"backend": "gpu"}}, "embedder.backend"),
        ({"embedder": {"workers": 0}}, "embedder.workers"),
        ({"embedder": {"maxIndexMiB": "1Gi"}}, "embedder.maxIndexMiB"),
        ({"agent": {"periodSeconds": 31}}, "agent.periodSeconds"),
        ({"networkPolicies": {"metricsFrom": ["prometheus"]}}, "networkPolicies.metricsFrom"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_value_is_an_error_that_names_it(values: Values, named: str) -> None:
    done = template(values)
    assert done.returncode != 0
    assert named in done.stderr.replace("/", ".")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"embedder": {"enabled": True}, "redis": {"enabled": False}},
            "embedder.enabled: vectors are kept in Redis",
        ),
        (
            {
                "embedder": {"enabled": True},
                "redis": {"enabled": False},
                "externalRedis": {"url": "unix:///run/redis"},
            },
            "embedder.enabled: it reaches no Redis by a socket",
        ),
        (
            {"embedder": {"autoscaling": {"minReplicas": 9}}},
            "embedder.autoscaling: minReplicas is more than maxReplicas",
        ),
        (
            {"agent": {"resources": {"limits": {"nvidia.com/gpu": 1}}}},
            "agent.resources.limits: an agent sees all GPUs",
        ),
        ({"externalRedis": {"url": "redis://redis:6379"}}, "set redis.enabled=false too"),
        ({"externalRedis": {"manageUsers": True}}, "set externalRedis.url too"),
        (
            {"nudge": {"guard": "webhook"}, "injector": {"enabled": False}},
            "needs injector.enabled=true",
        ),
        (
            {"watchNamespaces": ["shop"], "ollama": {"namespaces": ["models"]}},
            "ollama.namespaces: models is not in watchNamespaces",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_is_refused_with_a_reason(values: Values, said: str) -> None:
    done = template(values)
    assert done.returncode != 0
    assert said in done.stderr


def test_a_policy_is_not_asked_of_a_server_that_has_none() -> None:
    done = template({"nudge": {"guard": "policy"}}, BEFORE_ALL)
    assert "has no ValidatingAdmissionPolicy; choose webhook" in done.stderr
    assert template({"nudge": {"guard": "policy"}}, NEWEST).returncode == 0


def test_an_autoscaler_is_not_asked_of_a_server_that_has_none() -> None:
    scaled = {"embedder": {"enabled": True, "autoscaling": {"enabled": True}}}
    done = template(scaled, BEFORE_ALL)
    assert "has no autoscaling/v2; set embedder.replicas" in done.stderr
    assert template({"embedder": {"enabled": True}}, BEFORE_ALL).returncode == 0


@pytest.mark.parametrize(
    ("variant", "api"),
    [("monitoring", "monitoring.coreos.com/v1"), ("cert-manager", "cert-manager.io/v1")],
)
def test_what_the_cluster_lacks_is_named(variant: str, api: str) -> None:
    done = run("template", "x", str(CHART), "--values", "-", stdin=json.dumps(VARIANTS[variant]))
    assert done.returncode != 0
    assert f"the cluster has no {api}" in done.stderr
