"""What our accounts may do: all of it written down here, so that a change is seen."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.chart.rendering import (
    CHART,
    NEWEST,
    OLDEST,
    OWN,
    ROOT,
    VARIANTS,
    Document,
    Values,
    of_kind,
    render,
)

each_variant = pytest.mark.parametrize("variant", VARIANTS)
KINDS = "budgets,llmproviders,modeltiers,routepolicies"
STATUSES = ",".join(f"{kind}/status" for kind in KINDS.split(","))
WATCHED = {
    f"penstock.dev {KINDS}: get,list,watch",
    f"penstock.dev {STATUSES}: patch",
    "pods: list,patch,watch",
    "configmaps[penstock-config]: create,delete,get,list,patch,watch",
    "configmaps[penstock-warming]: get",
    "secrets[penstock-credentials]: create,delete,get,list,patch,watch",
    "events: create",
}
"""The operator, where it watches."""
LEASE = {
    "coordination.k8s.io leases: create",
    "coordination.k8s.io leases[penstock-operator]: get,update",
}
LOGIN = {"secrets[penstock-redis]: create,get,patch"}
CONFIGURATIONS = (
    "admissionregistration.k8s.io mutatingwebhookconfigurations,validatingwebhookconfigurations"
    "[penstock]: get,list,update,watch"
)
CA = {"secrets[penstock-webhook-ca]: create,get,patch,update"}
READ_KEYS = {"secrets: get,list,watch"}
APPLIED = "create,delete,get,list,patch"
MODELS = {
    f"apps deployments: {APPLIED}",
    f"configmaps,persistentvolumeclaims,services: {APPLIED}",
    f"policy poddisruptionbudgets: {APPLIED}",
    f"networking.k8s.io networkpolicies: {APPLIED}",
}
"""The operator, where it may run models."""
INVENTORIES = {"configmaps: list"}


def said(rule: Document) -> str:
    """A rule in one line."""
    (group,) = rule["apiGroups"]
    names = f"[{','.join(sorted(rule['resourceNames']))}]" if "resourceNames" in rule else ""
    what = f"{group} {','.join(sorted(rule['resources']))}{names}".strip()
    return f"{what}: {','.join(sorted(rule['verbs']))}"


def rights(values: Values, account: str) -> dict[str, set[str]]:
    """By namespace (`*`: all, and what is in none), what a ServiceAccount is given."""
    documents = render(values)
    rules = {
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]): each["rules"]
        for each in of_kind(documents, "Role", "ClusterRole")
    }
    found: dict[str, set[str]] = {}
    for each in of_kind(documents, "RoleBinding", "ClusterRoleBinding"):
        (subject,) = each["subjects"]
        assert subject["kind"] == "ServiceAccount"
        assert subject["namespace"] == OWN
        namespace = each["metadata"].get("namespace")
        role = each["roleRef"]
        if subject["name"] == account:
            given = rules[role["kind"], namespace, role["name"]]
            found.setdefault(namespace or "*", set()).update(map(said, given))
    return found


def all_rules(values: Values) -> Iterator[tuple[Document, Any]]:
    for each in of_kind(render(values), "Role", "ClusterRole"):
        yield from ((each, rule) for rule in each["rules"])


@each_variant
def test_pain_14_nothing_is_a_wildcard(variant: str) -> None:
    for _, rule in all_rules(VARIANTS[variant]):
        assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
        assert not any("*" in each for each in rule["resources"])


@each_variant
def test_pain_14_no_secret_is_open_cluster_wide_but_the_one_that_we_write(variant: str) -> None:
    for role, rule in all_rules(VARIANTS[variant]):
        if role["kind"] == "ClusterRole" and "secrets" in rule["resources"]:
            assert rule["resourceNames"] == ["penstock-credentials"]


@each_variant
def test_nobody_may_give_rights_run_pods_or_be_somebody_else(variant: str) -> None:
    refused = {"escalate", "bind", "impersonate", "deletecollection"}
    for _, rule in all_rules(VARIANTS[variant]):
        assert not refused & set(rule["verbs"])
        groups, resources = set(rule["apiGroups"]), set(rule["resources"])
        assert "rbac.authorization.k8s.io" not in groups
        assert not any("/" in each and not each.endswith("/status") for each in resources)
        assert not ("pods" in resources and {"create", "update", "delete"} & set(rule["verbs"]))
        assert not ("nodes" in resources and {*rule["verbs"]} != {"list"})


@each_variant
def test_every_role_is_bound_once(variant: str) -> None:
    documents = render(VARIANTS[variant])
    roles = [
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        for each in of_kind(documents, "Role", "ClusterRole")
    ]
    bound = [
        (each["roleRef"]["kind"], each["metadata"].get("namespace"), each["roleRef"]["name"])
        for each in of_kind(documents, "RoleBinding", "ClusterRoleBinding")
    ]
    assert sorted(map(str, roles)) == sorted(map(str, bound))


def test_the_operator_by_default() -> None:
    assert rights({}, "penstock-operator") == {
        "*": WATCHED | {"namespaces: list,watch"},
        OWN: LEASE | LOGIN,
    }


def test_the_injector_by_default() -> None:
    assert rights({}, "penstock-injector") == {
        "*": {CONFIGURATIONS, "nodes: list", "events: create"},
        OWN: CA,
    }


def test_the_test_of_helm() -> None:
    assert rights({}, "penstock-test") == {
        "*": {"admissionregistration.k8s.io mutatingwebhookconfigurations[penstock]: get"},
        OWN: {
            "coordination.k8s.io leases[penstock-operator]: get",
            "penstock.dev budgets: create",
        },
    }


def tried(file: str) -> set[str]:
    """Rights with which processes were run on an API server: `tests/cluster/test_*rights.py`."""
    text = (ROOT / "tests" / "cluster" / file).read_text("utf-8")
    rules = (rule for each in yaml.safe_load_all(text) for rule in each.get("rules", ()))
    return {line for rule in rules for line in each_resource(said(rule))}


def each_resource(line: str) -> Iterator[str]:
    """A rule as one line for each resource and verb."""
    what, _, verbs = line.rpartition(": ")
    group, _, names = what.rpartition(" ")
    resources, bracket, rest = names.partition("[")
    for resource in resources.split(","):
        yield from (f"{group} {resource}{bracket}{rest}: {verb}" for verb in verbs.split(","))


@pytest.mark.parametrize(
    ("account", "files"),
    [("operator", ["rights.yaml", "rights-models.yaml"]), ("injector", ["rights-injector.yaml"])],
)
def test_the_programs_were_run_with_these_rights_and_no_others(
    account: str, files: list[str]
) -> None:
    """But the login's, which `redis-login` alone needs; `tests/cluster` runs it."""
    values = {"providerNamespaces": ["models"], "ollama": {"namespaces": ["models"]}}
    found = rights(values, f"penstock-{account}").values()
    lines = {each for lines in found for line in lines - LOGIN for each in each_resource(line)}
    run = {line for file in files for line in tried(file)}
    assert lines == {line.replace("[INJECTOR]", "[penstock]") for line in run}


def test_models_are_run_where_it_is_said_and_nowhere_else() -> None:
    found = rights(VARIANTS["models"], "penstock-operator")
    assert found == {
        "*": WATCHED | {"namespaces: list,watch", "nodes: list"},
        "models": MODELS,
        "platform": MODELS,
        OWN: LEASE | LOGIN | INVENTORIES,
    }
    within = rights(VARIANTS["models-namespaced"], "penstock-operator")
    assert within == {
        "*": {"nodes: list"},
        "models": WATCHED | MODELS,
        OWN: LEASE | LOGIN | INVENTORIES,
    }


@pytest.mark.parametrize(("server", "count"), [(NEWEST, 3), (OLDEST, 0)])
def test_policies_say_what_rights_cannot_where_the_server_has_them(server: str, count: int) -> None:
    """`tests/cluster/test_models_policy.py` runs them."""
    found = of_kind(render(VARIANTS["models"], server), "ValidatingAdmissionPolicy")
    assert len(found) == count
    account = f"system:serviceaccount:{OWN}:penstock-operator"
    for each in found:
        assert each["spec"]["failurePolicy"] == "Fail"
        (condition, *_) = each["spec"]["matchConditions"]
        assert account in condition["expression"]


@each_variant
def test_nothing_that_runs_pods_is_made_in_all_namespaces(variant: str) -> None:
    for role, rule in all_rules(VARIANTS[variant]):
        if role["kind"] == "ClusterRole" and "deployments" in rule["resources"]:
            pytest.fail(f"{role['metadata']['name']}: {rule}")


def test_keys_are_read_where_it_is_said_and_nowhere_else() -> None:
    found = rights(VARIANTS["providers"], "penstock-operator")
    assert found["platform"] == found["models"] == READ_KEYS
    assert found.keys() == {"*", OWN, "platform", "models"}


def test_within_namespaces_there_are_roles_alone() -> None:
    """But for what is in no namespace: webhook configurations, nodes."""
    found = rights(VARIANTS["namespaced"], "penstock-operator")
    assert found == {"team-a": WATCHED | READ_KEYS, "team-b": WATCHED, OWN: LEASE | LOGIN}
    assert rights(VARIANTS["namespaced"], "penstock-injector") == {
        "*": {CONFIGURATIONS, "nodes: list"},
        "team-a": {"events: create"},
        "team-b": {"events: create"},
        OWN: CA,
    }


def test_without_injector_and_test_nothing_is_cluster_wide() -> None:
    values = {**VARIANTS["namespaced"], "injector": {"enabled": False}}
    assert of_kind(render(values), "ClusterRole", "ClusterRoleBinding") == []


def test_without_the_nudge_pods_are_read_alone() -> None:
    found = rights(VARIANTS["no-nudge"], "penstock-operator")["*"]
    assert "pods: list,watch" in found
    assert not any("pods" in rule and "patch" in rule for rule in found)


def test_with_cert_manager_the_injector_writes_nothing_but_events() -> None:
    found = rights(VARIANTS["cert-manager"], "penstock-injector")
    assert found == {"*": {"nodes: list", "events: create"}}


def test_a_login_of_the_user_s_needs_no_right() -> None:
    assert rights(VARIANTS["redis-in-memory"], "penstock-operator")[OWN] == LEASE
    assert rights(VARIANTS["no-redis"], "penstock-operator")[OWN] == LEASE


def test_prompts_are_read_by_the_names_that_are_allowed() -> None:
    found = rights(VARIANTS["warming"], "penstock-operator")["*"]
    assert "configmaps[faq,prompts.morning]: get" in found
    none = rights({"warming": {"configMaps": []}}, "penstock-operator")["*"]
    assert [rule for rule in none if "configmaps" in rule] == [
        "configmaps[penstock-config]: create,delete,get,list,patch,watch"
    ]


def test_the_embedder_s_secret_is_made_by_the_operator() -> None:
    made = {"secrets[penstock-embedder]: create,get,patch"}
    assert rights(VARIANTS["embedder"], "penstock-operator")[OWN] == LEASE | LOGIN | made
    assert rights(VARIANTS["embedder-scaled"], "penstock-operator")[OWN] == LEASE
    assert rights(VARIANTS["embedder"], "penstock-embedder") == {}


def test_nodes_are_not_read_where_nobody_asks_for_their_versions() -> None:
    found = rights(VARIANTS["strict-injector"], "penstock-injector")["*"]
    assert "nodes: list" not in found


def test_every_rule_names_the_code_that_needs_it() -> None:
    """In a comment above it, and the file is there."""
    for path in sorted((CHART / "templates").rglob("*r*s.*")):
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            if not line.strip().startswith("- apiGroups:"):
                continue
            above = "\n".join(lines[max(0, number - 9) : number])
            named = [
                word for word in above.replace("(", " ").replace(")", " ").split() if ".py" in word
            ]
            assert named, f"{path.name}:{number + 1}"
            name = named[-1].strip(".,:")
            operator = ROOT / "operator"
            places = (operator / "penstock_operator" / name, operator / name, CHART / name)
            assert any(place.exists() for place in places), name
