"""What the chart renders, for every switch: accepted by old and new servers, and the same twice."""

import json
import re
import tomllib
from collections.abc import Iterable
from functools import cache

import kubernetes_validate
import pytest
import yaml

from tests.chart.rendering import (
    BEFORE_ALL,
    CHART,
    NEWEST,
    OLDEST,
    ROOT,
    VARIANTS,
    Document,
    of_kind,
    pods,
    render,
    run,
    template,
    text_of,
)

each_variant = pytest.mark.parametrize("variant", VARIANTS)
NOT_OF_KUBERNETES = {"PodMonitor", "PrometheusRule", "Certificate", "Issuer"}
"""Of other projects, whose schemas are not at hand."""
RECOMMENDED = {
    *("name", "instance", "component", "part-of", "version", "managed-by"),
}


@cache
def fault(document: str, server: str) -> str | None:
    """What is wrong with an object, as JSON; most are the same whatever is switched."""
    found: Document = json.loads(document)
    try:
        kubernetes_validate.validate(found, server, strict=True)
    except kubernetes_validate.ValidationError as error:
        where = ".".join(map(str, error.absolute_path))
        return f"{found['kind']}/{found['metadata']['name']}: {where}: {error.message}"
    return None


def faults(documents: Iterable[Document], server: str) -> list[str]:
    found = (fault(json.dumps(each, sort_keys=True), server) for each in documents)
    return [each for each in found if each]


def test_it_passes_helm_lint() -> None:
    done = run("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("server", [OLDEST, NEWEST])
@each_variant
def test_servers_take_every_manifest(variant: str, server: str) -> None:
    documents = render(VARIANTS[variant], server)
    checked = [each for each in documents if each["kind"] not in NOT_OF_KUBERNETES]
    assert len(checked) > 10
    assert faults(checked, server) == []


def test_the_check_of_manifests_finds_a_wrong_one() -> None:
    (deployment, *_) = of_kind(render({}), "Deployment")
    wrong = yaml.safe_load(yaml.safe_dump(deployment))
    wrong["spec"]["template"]["spec"]["containers"][0]["redinessProbe"] = {}
    for server in (OLDEST, NEWEST):
        (said,) = faults([wrong], server)
        assert "redinessProbe" in said


@each_variant
def test_pain_08_rendering_twice_gives_the_same(variant: str) -> None:
    assert template(VARIANTS[variant]).stdout == text_of(VARIANTS[variant])


def test_pain_08_nothing_in_it_is_random_or_looked_up() -> None:
    text = "".join(path.read_text() for path in (CHART / "templates").rglob("*.*"))
    words = (
        r"rand\w+|gen(?:CA|SelfSigned|Signed|Private)\w*|lookup|now|uuidv4|htpasswd|derivePassword"
    )
    assert re.findall(rf"\{{\{{[^}}]*\b(?:{words})\b[^}}]*\}}\}}", text) == []
    assert "caBundle" not in text


@each_variant
def test_every_object_has_the_labels_that_kubernetes_recommends(variant: str) -> None:
    for document in render(VARIANTS[variant]):
        labels = document["metadata"]["labels"]
        assert {f"app.kubernetes.io/{name}" for name in RECOMMENDED} <= labels.keys()
        assert labels["app.kubernetes.io/part-of"] == "penstock"


@each_variant
def test_no_object_is_there_twice(variant: str) -> None:
    found = [
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        for each in render(VARIANTS[variant])
    ]
    assert len(found) == len(set(found))


@each_variant
def test_namespaced_objects_say_where_they_belong(variant: str) -> None:
    outside = {
        *("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"),
        *("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
        *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
    }
    for each in render(VARIANTS[variant]):
        assert ("namespace" in each["metadata"]) == (each["kind"] not in outside), each["kind"]


@each_variant
def test_pods_are_found_by_the_selectors_of_what_makes_them(variant: str) -> None:
    for each in of_kind(render(VARIANTS[variant]), "DaemonSet", "Deployment", "StatefulSet"):
        selector = each["spec"]["selector"]["matchLabels"]
        assert selector.items() <= each["spec"]["template"]["metadata"]["labels"].items()


def test_selectors_outlive_an_upgrade() -> None:
    """A selector cannot be changed: nothing in it may follow the version."""
    documents = render(VARIANTS["agent"])
    for each in of_kind(documents, "DaemonSet", "Deployment", "StatefulSet"):
        keys = set(each["spec"]["selector"]["matchLabels"])
        assert keys == {f"app.kubernetes.io/{name}" for name in ("name", "instance", "component")}


def test_two_releases_share_no_name_outside_of_namespaces() -> None:
    """But the definitions, which only one of them can have."""
    other = template({"crds": {"enabled": False}}, release="other").stdout
    theirs = {doc["metadata"]["name"] for doc in yaml.safe_load_all(other) if doc}
    ours = {doc["metadata"]["name"] for doc in render({}) if "namespace" not in doc["metadata"]}
    assert ours
    assert not theirs & ours


@pytest.mark.parametrize("server", [BEFORE_ALL, OLDEST, NEWEST])
def test_apis_are_chosen_by_the_server(server: str) -> None:
    documents = render({}, server)
    (version,) = {each["apiVersion"] for each in of_kind(documents, "PodDisruptionBudget")}
    assert version == ("policy/v1beta1" if server == BEFORE_ALL else "policy/v1")
    policies = of_kind(documents, "ValidatingAdmissionPolicy")
    assert len(policies) == (1 if server == NEWEST else 0)


@pytest.mark.parametrize(("server", "known"), [(BEFORE_ALL, False), (OLDEST, True)])
def test_rules_of_definitions_go_to_servers_that_know_them(server: str, known: bool) -> None:
    definitions = of_kind(render({}, server), "CustomResourceDefinition")
    assert len(definitions) == 4
    for each in definitions:
        assert ("x-kubernetes-validations" in yaml.safe_dump(each)) == known


def test_definitions_equal_those_of_the_repository() -> None:
    for each in of_kind(render({}), "CustomResourceDefinition"):
        name, meta = each["metadata"]["name"], each["metadata"]
        assert meta.pop("annotations") == {"helm.sh/resource-policy": "keep"}
        assert meta.pop("labels")
        path = ROOT / "crds" / f"{name.partition('.')[0]}.yaml"
        assert each == yaml.safe_load(path.read_text("utf-8"))


def test_the_version_is_the_project_s() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert chart["appVersion"] == chart["version"] == project["version"]


def test_images_are_named_by_version_or_digest() -> None:
    found = {c["image"] for _, pod in pods(render({})) for c in pod["spec"]["containers"]}
    assert len(found) == 2
    assert all(re.search(r":[^/]+$", image) and ":latest" not in image for image in found)
    pinned = {
        c["image"] for _, pod in pods(render(VARIANTS["images"])) for c in pod["spec"]["containers"]
    }
    assert f"registry.example.com/platform/penstock-operator@sha256:{'0' * 64}" in pinned


def test_pain_12_no_finalizer_keeps_anything() -> None:
    assert not any("finalizers" in each["metadata"] for each in render({}))
