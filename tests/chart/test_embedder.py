"""The embedder as the chart runs it: who finds it, who may reach it, and how it reaches Redis."""

from typing import Any

import pytest

from penstock_operator.ledger.users import EMBEDDER, user_name
from penstock_operator.settings import Settings
from tests.chart.rendering import (
    VARIANTS,
    Document,
    Values,
    containers,
    named,
    of_kind,
    render,
)

NAME = "penstock-embedder"
SECRET = "PENSTOCK_EMBEDDER_SECRET"
WORD = "PENSTOCK_EMBEDDER_REDIS_PASSWORD"


def environment(values: Values, part: str) -> dict[str, Any]:
    """Each variable's value, or name and key of the Secret that has it."""
    pod = named(render(values), "Deployment", f"penstock-{part}")["spec"]["template"]
    (found,) = (each for each in containers(pod) if each["name"] == part)
    return {each["name"]: each.get("value") or reference(each) for each in found["env"]}


def reference(variable: Document) -> tuple[str, ...]:
    return tuple(variable["valueFrom"].get("secretKeyRef", {}).values())


def test_by_default_there_is_none() -> None:
    assert not [each for each in render({}) if "embedder" in each["metadata"]["name"]]
    assert not [name for name in environment({}, "operator") if "EMBEDDER" in name]


def test_the_operator_tells_of_the_service_that_is_there() -> None:
    values = VARIANTS["embedder"]
    documents, told = render(values), environment(values, "operator")
    service = named(documents, "Service", NAME)
    (port,) = service["spec"]["ports"]
    where = f"{NAME}.{service['metadata']['namespace']}.svc:{port['port']}"
    assert told["PENSTOCK_EMBEDDER_URL"] == f"http://{where}"
    pod = named(documents, "Deployment", NAME)["spec"]["template"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    (container,) = pod["spec"]["containers"]
    assert [each["name"] for each in container["ports"]] == [port["targetPort"]]


@pytest.mark.parametrize(("variant", "secret"), [("embedder", NAME), ("embedder-scaled", "mine")])
def test_both_sides_have_the_same_secrets(variant: str, secret: str) -> None:
    operator, embedder = (environment(VARIANTS[variant], p) for p in ("operator", "embedder"))
    assert operator[SECRET] == embedder[SECRET] == (secret, "secret")
    assert operator[WORD] == embedder[WORD] == (secret, "redis-password")


def test_the_operator_makes_the_secret_unless_there_is_one() -> None:
    def makers(variant: str) -> list[Document]:
        pod = named(render(VARIANTS[variant]), "Deployment", "penstock-operator")["spec"]
        return [*pod["template"]["spec"].get("initContainers", ())]

    (maker,) = (each for each in makers("embedder") if each["name"] == "embedder-login")
    assert maker["args"] == ["embedder-login"]
    variables = {each["name"]: each.get("value", "given") for each in maker["env"]}
    assert Settings.from_environment(variables).embedder_login_secret == NAME
    assert makers("embedder-scaled") == []


@pytest.mark.parametrize("variant", ["embedder", "embedder-scaled"])
def test_where_users_are_managed_it_logs_in_as_the_operator_s_user_for_it(variant: str) -> None:
    read = environment(VARIANTS[variant], "embedder")
    cluster = read["PENSTOCK_EMBEDDER_CLUSTER"]
    assert read["PENSTOCK_EMBEDDER_REDIS_USERNAME"] == user_name(cluster, EMBEDDER)


@pytest.mark.parametrize("variant", ["embedder", "embedder-scaled", "embedder-shared-login"])
def test_it_uses_the_redis_of_the_sidecars(variant: str) -> None:
    operator, read = (environment(VARIANTS[variant], p) for p in ("operator", "embedder"))
    for name in ("URL", "CA_FILE", "SENTINEL_USERNAME", "SENTINEL_PASSWORD"):
        own = read.get(f"PENSTOCK_EMBEDDER_REDIS_{name}")
        assert own == operator.get(f"PENSTOCK_REDIS_{name}"), name


def test_where_all_share_a_login_it_does_too() -> None:
    operator, read = (
        environment(VARIANTS["embedder-shared-login"], p) for p in ("operator", "embedder")
    )
    for name in ("USERNAME", "PASSWORD"):
        assert read[f"PENSTOCK_EMBEDDER_REDIS_{name}"] == operator[f"PENSTOCK_REDIS_{name}"]
    assert WORD not in operator


def test_only_sidecars_and_who_reads_metrics_reach_it() -> None:
    policy = named(render(VARIANTS["embedder"]), "NetworkPolicy", NAME)["spec"]
    (rule,) = policy["ingress"]
    assert rule["ports"] == [{"port": 4144, "protocol": "TCP"}]
    sidecars, prometheus = rule["from"]
    assert sidecars["podSelector"]["matchLabels"] == {"penstock.dev/inject": "true"}
    assert sidecars["namespaceSelector"] == {}
    assert prometheus == {"namespaceSelector": {"matchLabels": {"team": "monitoring"}}}


def test_it_reaches_the_chart_s_redis() -> None:
    policy = named(render(VARIANTS["embedder"]), "NetworkPolicy", "penstock-redis")["spec"]
    (rule,) = policy["ingress"]
    parts = [each["podSelector"]["matchLabels"] for each in rule["from"]]
    assert "embedder" in [each.get("app.kubernetes.io/component") for each in parts]


def test_its_replicas_are_spread_and_kept() -> None:
    documents = render(VARIANTS["embedder"])
    spec = named(documents, "Deployment", NAME)["spec"]
    assert spec["replicas"] == 2
    spread = spec["template"]["spec"]["topologySpreadConstraints"]
    assert [each["labelSelector"] for each in spread] == [spec["selector"]] * 2
    budget = named(documents, "PodDisruptionBudget", NAME)
    assert budget["spec"] == {"maxUnavailable": 1, "selector": spec["selector"]}


def test_an_autoscaler_takes_the_place_of_a_number() -> None:
    documents = render(VARIANTS["embedder-scaled"])
    deployment = named(documents, "Deployment", NAME)
    assert "replicas" not in deployment["spec"]
    scaler = named(documents, "HorizontalPodAutoscaler", NAME)["spec"]
    assert scaler["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 6)
    assert of_kind(render(VARIANTS["embedder"]), "HorizontalPodAutoscaler") == []


def test_its_metrics_are_read_where_they_are() -> None:
    documents = render(VARIANTS["monitoring"])
    (endpoint,) = named(documents, "PodMonitor", NAME)["spec"]["podMetricsEndpoints"]
    pod = named(documents, "Deployment", NAME)["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert endpoint["port"] in {each["name"] for each in container["ports"]}


def test_a_slow_model_is_waited_for() -> None:
    pod = named(render(VARIANTS["embedder"]), "Deployment", NAME)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 120
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_vectors_fit_into_its_memory() -> None:
    """A gibibyte beside them, as the table of values says."""
    (container,) = named(render(VARIANTS["embedder"]), "Deployment", NAME)["spec"]["template"][
        "spec"
    ]["containers"]
    index = int(environment(VARIANTS["embedder"], "embedder")["PENSTOCK_EMBEDDER_MAX_INDEX_MIB"])
    assert container["resources"]["limits"]["memory"] == f"{(index + 1024) // 1024}Gi"
