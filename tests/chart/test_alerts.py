"""Alerts and monitors name metrics, ports and labels that there are."""

import re
from itertools import chain

import pytest
import yaml

from penstock_agent.metrics import Metrics as AgentMetrics
from penstock_agent.metrics import Reading as AgentReading
from penstock_embedder.metrics import Metrics as EmbedderMetrics
from penstock_operator.metrics import Metrics
from tests.chart.rendering import CHART, OWN, VARIANTS, Document, containers, named, pods, render

ALERTS: list[Document] = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text("utf-8"))
SUFFIXES = r"_(?:total|bucket|sum|count|created)$"


def exposed() -> dict[str, set[str]]:
    """Names of the control plane's, the embedder's and the agents' metrics, and their labels."""
    found = {}
    registries = Metrics().registry, EmbedderMetrics("0")._registry
    for family in chain.from_iterable(each._collector_to_names for each in registries):
        if name := getattr(family, "_name", None):  # a process's own figures have none
            found[str(name)] = set(getattr(family, "_labelnames", ()))
    nothing = AgentReading(None, answers=False, age_seconds=0)
    for metric in AgentMetrics(lambda: nothing).registry.collect():
        found[metric.name] = set(getattr(metric, "_labelnames", ("result",)))
    return found


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_metrics_of_an_alert_exist_with_their_labels(alert: Document) -> None:
    metrics = exposed()
    used = re.findall(r"(penstock_\w+)(?:\{([^}]*)\})?", alert["expr"])
    assert used
    for name, selector in used:
        bare = re.sub(SUFFIXES, "", name)
        assert bare in metrics, name
        assert name.endswith("_total") == (bare != name)
        assert set(re.findall(r"(\w+)[=!]", selector)) <= metrics[bare]
    for labels in re.findall(r"by \(([^)]*)\)", alert["expr"]):
        wanted = {label.strip() for label in labels.split(",")}
        assert any(wanted <= metrics[re.sub(SUFFIXES, "", name)] for name, _ in used)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_what_it_means_and_how_urgent_it_is(alert: Document) -> None:
    assert alert["alert"].startswith("Penstock")
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert {"summary", "description"} == alert["annotations"].keys()
    assert all(text.endswith(".") for text in alert["annotations"].values())
    shown = set(re.findall(r"\$labels\.(\w+)", str(alert["annotations"])))
    by = {
        each.strip()
        for text in re.findall(r"by \(([^)]*)\)", alert["expr"])
        for each in text.split(",")
    }
    assert shown <= by


def test_all_alerts_reach_the_rule() -> None:
    rule = named(render(VARIANTS["monitoring"]), "PrometheusRule", "penstock")
    (group,) = rule["spec"]["groups"]
    assert group["rules"] == ALERTS
    assert rule["metadata"]["labels"]["release"] == "prometheus"


def test_monitors_find_our_pods_and_their_ports() -> None:
    documents = render(VARIANTS["monitoring"])
    monitor = named(documents, "PodMonitor", "penstock")
    (expression,) = monitor["spec"]["selector"]["matchExpressions"]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    found = set()
    for _, pod in pods(documents):
        labels = pod["metadata"]["labels"]
        if labels["app.kubernetes.io/component"] in expression["values"]:
            assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
            ports = {port["name"] for each in containers(pod) for port in each.get("ports", ())}
            assert endpoint["port"] in ports
            found.add(labels["app.kubernetes.io/component"])
    assert found == {"operator", "injector", "agent"}
    assert monitor["metadata"]["namespace"] == OWN


def test_monitors_find_sidecars_by_what_is_stamped_on_them() -> None:
    monitor = named(render(VARIANTS["monitoring"]), "PodMonitor", "penstock-sidecars")
    assert monitor["spec"]["selector"] == {"matchLabels": {"penstock.dev/inject": "true"}}
    assert monitor["spec"]["podMetricsEndpoints"][0]["port"] == "penstock-probe"
    assert monitor["spec"]["namespaceSelector"] == {"any": True}
