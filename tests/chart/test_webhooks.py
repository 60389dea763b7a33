"""Which pods and objects the API server asks our injector about, and what happens without it."""

from typing import Any

import pytest

from tests.chart.rendering import (
    BEFORE_ALL,
    NEWEST,
    OWN,
    VARIANTS,
    Document,
    Values,
    named,
    of_kind,
    pods,
    render,
)

BEFORE_POLICIES = "1.28.3"
"""The newest kind of server without ValidatingAdmissionPolicy, that knows `matchConditions`."""
INJECTED_NAMESPACE = {"penstock.dev/injection": "enabled", "kubernetes.io/metadata.name": "shop"}
OTHER_NAMESPACE = {"kubernetes.io/metadata.name": "other"}


def webhooks(kind: str, values: Values, server: str = NEWEST) -> list[Document]:
    found: list[Document] = named(render(values, server), kind, "penstock")["webhooks"]
    return found


def takes(selector: Document, labels: dict[str, str]) -> bool:
    """A label selector, as the API server reads it."""

    def holds(each: Document) -> bool:
        value = labels.get(each["key"])
        assert each["operator"] in {"In", "NotIn"}
        return bool((value in each["values"]) == (each["operator"] == "In"))

    return all(map(holds, selector.get("matchExpressions", ())))


def asked(
    namespace: dict[str, str], pod: dict[str, str], values: Values | None = None
) -> list[str]:
    """Names of the webhooks that are asked about a pod with these labels."""
    return [
        each["name"].partition(".")[0]
        for each in webhooks("MutatingWebhookConfiguration", values or {})
        if takes(each["namespaceSelector"], namespace) and takes(each["objectSelector"], pod)
    ]


@pytest.mark.parametrize(
    ("namespace", "pod", "by"),
    [
        (INJECTED_NAMESPACE, {}, ["namespaces"]),
        (INJECTED_NAMESPACE, {"app": "shop"}, ["namespaces"]),
        (INJECTED_NAMESPACE, {"penstock.dev/inject": "true"}, ["namespaces"]),
        (INJECTED_NAMESPACE, {"penstock.dev/inject": "false"}, []),
        (OTHER_NAMESPACE, {}, []),
        (OTHER_NAMESPACE, {"penstock.dev/inject": "true"}, ["pods"]),
        (OTHER_NAMESPACE, {"penstock.dev/inject": "false"}, []),
        ({"kubernetes.io/metadata.name": "kube-system"}, {"penstock.dev/inject": "true"}, []),
        (INJECTED_NAMESPACE | {"kubernetes.io/metadata.name": "kube-node-lease"}, {}, []),
        (INJECTED_NAMESPACE | {"kubernetes.io/metadata.name": OWN}, {}, []),
    ],
)
def test_pods_that_ask_are_asked_about_once(
    namespace: dict[str, str], pod: dict[str, str], by: list[str]
) -> None:
    assert asked(namespace, pod) == by


def test_pain_05_no_pod_of_ours_waits_for_us_even_where_no_namespace_is_labelled() -> None:
    """Older servers do not label namespaces with their names."""
    for values in (VARIANTS["default"], VARIANTS["strict-injector"], VARIANTS["placed"]):
        for _, pod in pods(render(values)):
            labels = pod["metadata"]["labels"] | {"penstock.dev/inject": "true"}
            assert asked({"penstock.dev/injection": "enabled"}, labels, values) == []


def test_names_decide_also_in_namespaced_mode() -> None:
    values = VARIANTS["namespaced"]
    team = INJECTED_NAMESPACE | {"kubernetes.io/metadata.name": "team-a"}
    assert asked(team, {}, values) == ["namespaces"]
    assert asked(INJECTED_NAMESPACE, {}, values) == []
    assert asked(INJECTED_NAMESPACE, {"penstock.dev/inject": "true"}, values) == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_webhook_is_bounded_and_a_dry_run_leaves_nothing(variant: str) -> None:
    kinds = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    for configuration in of_kind(render(VARIANTS[variant]), *kinds):
        for each in configuration["webhooks"]:
            assert each["timeoutSeconds"] <= 10
            assert each["sideEffects"] in ("None", "NoneOnDryRun")  # Events on a pod's owner
            assert each["matchPolicy"] == "Equivalent"
            assert each["admissionReviewVersions"] == ["v1"]
            (rule,) = each["rules"]
            assert rule["scope"] == "Namespaced"
            assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["operations"]}
            service = each["clientConfig"]["service"]
            assert (service["name"], service["namespace"]) == ("penstock-injector", OWN)


def test_pods_are_asked_about_again_when_others_changed_them() -> None:
    for each in webhooks("MutatingWebhookConfiguration", {}):
        assert each["reinvocationPolicy"] == "IfNeeded"
        assert each["clientConfig"]["service"]["path"] == "/mutate"
        assert each["rules"][0]["operations"] == ["CREATE"]


def test_pain_04_what_happens_without_an_injector_is_chosen() -> None:
    def policies(values: Values) -> set[str]:
        return {e["failurePolicy"] for e in webhooks("MutatingWebhookConfiguration", values)}

    assert policies({}) == {"Ignore"}
    assert policies(VARIANTS["strict-injector"]) == {"Fail"}


def guard(values: Values, server: str) -> Any:
    found = webhooks("ValidatingWebhookConfiguration", values, server)
    return next((each for each in found if each["name"].startswith("operator.")), None)


def test_newer_servers_guard_pods_themselves() -> None:
    assert guard({}, NEWEST) is None
    assert of_kind(render({}), "ValidatingAdmissionPolicy")


def test_a_guard_that_is_asked_about_the_operator_alone_is_closed() -> None:
    found = guard({}, BEFORE_POLICIES)
    assert found["failurePolicy"] == "Fail"
    (condition,) = found["matchConditions"]
    account = f"system:serviceaccount:{OWN}:penstock-operator"
    assert condition["expression"] == f"request.userInfo.username == '{account}'"
    assert found["clientConfig"]["service"]["path"] == "/pods"


def test_a_guard_that_is_asked_about_everybody_stops_nobody() -> None:
    """Servers before 1.28 cannot ask by user: with `Fail`, a cluster would wait for us."""
    found = guard({}, BEFORE_ALL)
    assert found["failurePolicy"] == "Ignore"
    assert "matchConditions" not in found
    assert found["rules"][0]["operations"] == ["UPDATE"]


@pytest.mark.parametrize("variant", ["no-nudge", "guard-none"])
def test_without_the_right_to_touch_nobody_guards(variant: str) -> None:
    for server in (BEFORE_ALL, NEWEST):
        documents = render(VARIANTS[variant], server)
        assert guard(VARIANTS[variant], server) is None
        assert of_kind(documents, "ValidatingAdmissionPolicy") == []


def test_the_guard_can_be_asked_for_on_newer_servers_too() -> None:
    assert guard(VARIANTS["guard-webhook"], NEWEST)
    assert of_kind(render(VARIANTS["guard-webhook"]), "ValidatingAdmissionPolicy") == []


def test_cert_manager_writes_its_ca_where_the_injector_would() -> None:
    documents = render(VARIANTS["cert-manager"])
    certificate = named(documents, "Certificate", "penstock-injector")
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        annotations = named(documents, kind, "penstock")["metadata"]["annotations"]
        source = annotations["cert-manager.io/inject-ca-from"]
        assert source == f"{OWN}/{certificate['metadata']['name']}"
    deployment = named(documents, "Deployment", "penstock-injector")
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    secrets = [each["secret"]["secretName"] for each in volumes if "secret" in each]
    assert secrets == [certificate["spec"]["secretName"]]
    assert f"penstock-injector.{OWN}.svc" in certificate["spec"]["dnsNames"]
    issuer = certificate["spec"]["issuerRef"]
    assert named(documents, issuer["kind"], issuer["name"])


def test_another_issuer_is_used_where_one_is_named() -> None:
    documents = render(VARIANTS["issuer"])
    assert of_kind(documents, "Issuer") == []
    certificate = named(documents, "Certificate", "penstock-injector")
    assert certificate["spec"]["issuerRef"]["name"] == "ours"
