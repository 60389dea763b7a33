"""What the accounts of a release may do, asked of a real API server."""

from typing import Final

import pytest

from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import NAMESPACES, Resource
from tests.chart.release import Release
from tests.chart.rendering import OWN
from tests.cluster.objects import eventually

pytestmark = pytest.mark.cluster
REVIEWS: Final = Resource(
    "authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews"
)
GRANTED: Final = {
    ("operator", "get", "secrets", "models", "any"): True,
    ("operator", "list", "secrets", "models", ""): True,
    ("operator", "create", "secrets", "models", ""): False,
    ("operator", "patch", "secrets", "models", "any"): False,
    ("operator", "get", "secrets", "shop", "any"): False,
    ("operator", "list", "secrets", "shop", ""): False,
    ("operator", "list", "secrets", "", ""): False,
    ("operator", "get", "secrets", "kube-system", "any"): False,
    ("operator", "get", "secrets", OWN, "penstock-webhook-ca"): False,
    ("operator", "get", "secrets", OWN, "penstock-redis"): True,
    ("operator", "create", "secrets", OWN, ""): False,
    ("operator", "patch", "secrets", "shop", "penstock-credentials"): True,
    ("operator", "create", "secrets", "shop", "any"): False,
    ("operator", "patch", "configmaps", "shop", "penstock-config"): True,
    ("operator", "patch", "configmaps", "shop", "any"): False,
    ("operator", "get", "configmaps", "shop", "penstock-warming"): True,
    ("operator", "patch", "configmaps", "shop", "penstock-warming"): False,
    ("operator", "get", "configmaps", "shop", "any"): False,
    ("operator", "get", "configmaps", "kube-system", "any"): False,
    ("operator", "list", "pods", "shop", ""): True,
    ("operator", "patch", "pods", "shop", "any"): True,
    ("operator", "create", "pods", "shop", ""): False,
    ("operator", "delete", "pods", "shop", "any"): False,
    ("operator", "create", "pods/exec", "shop", "any"): False,
    ("operator", "list", "nodes", "", ""): True,
    ("operator", "get", "nodes", "", "any"): False,
    ("operator", "patch", "nodes", "", "any"): False,
    ("operator", "create", "deployments.apps", "models", ""): True,
    ("operator", "patch", "deployments.apps", "models", "any"): True,
    ("operator", "delete", "persistentvolumeclaims", "models", "any"): True,
    ("operator", "patch", "poddisruptionbudgets.policy", "models", "any"): True,
    ("operator", "patch", "networkpolicies.networking.k8s.io", "models", "any"): True,
    ("operator", "create", "deployments.apps", "shop", ""): False,
    ("operator", "delete", "deployments.apps", OWN, "any"): False,
    ("operator", "create", "daemonsets.apps", "models", ""): False,
    ("operator", "create", "pods", "models", ""): False,
    ("operator", "get", "configmaps", OWN, "any"): False,
    ("operator", "patch", "namespaces", "", "shop"): False,
    ("operator", "update", "leases.coordination.k8s.io", OWN, "penstock-operator"): True,
    ("operator", "update", "leases.coordination.k8s.io", OWN, "other"): False,
    ("operator", "get", "leases.coordination.k8s.io", "kube-node-lease", "node"): False,
    ("operator", "list", "routepolicies.penstock.dev", "shop", ""): True,
    ("operator", "patch", "routepolicies.penstock.dev", "shop", "any"): False,
    ("operator", "patch", "routepolicies.penstock.dev/status", "shop", "any"): True,
    ("operator", "delete", "budgets.penstock.dev", "shop", "any"): False,
    (
        "operator",
        "update",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "",
        "penstock",
    ): False,
    ("operator", "create", "clusterrolebindings.rbac.authorization.k8s.io", "", ""): False,
    ("injector", "get", "secrets", OWN, "penstock-webhook-ca"): True,
    ("injector", "get", "secrets", OWN, "penstock-redis"): False,
    ("injector", "list", "secrets", OWN, ""): False,
    ("injector", "get", "secrets", "models", "any"): False,
    ("injector", "get", "secrets", "shop", "penstock-credentials"): False,
    ("injector", "list", "pods", "shop", ""): False,
    ("injector", "patch", "pods", "shop", "any"): False,
    ("injector", "list", "nodes", "", ""): True,
    ("injector", "patch", "nodes", "", "any"): False,
    ("injector", "create", "events", "shop", ""): True,
    (
        "injector",
        "update",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "",
        "penstock",
    ): True,
    (
        "injector",
        "update",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "",
        "other",
    ): False,
    (
        "injector",
        "create",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "",
        "",
    ): False,
    ("injector", "list", "routepolicies.penstock.dev", "shop", ""): False,
    ("redis", "get", "secrets", OWN, "penstock-redis"): False,
    ("operator", "list", "configmaps", OWN, ""): True,
    ("operator", "patch", "configmaps", OWN, "penstock-gpus-node"): False,
    ("agent", "create", "configmaps", OWN, "penstock-gpus-node"): True,
    ("agent", "patch", "configmaps", OWN, "penstock-gpus-node"): True,
    ("agent", "get", "configmaps", OWN, "penstock-gpus-node"): False,
    ("agent", "delete", "configmaps", OWN, "penstock-gpus-node"): False,
    ("agent", "patch", "configmaps", "shop", "penstock-config"): False,
    ("agent", "get", "secrets", OWN, "penstock-redis"): False,
    ("agent", "get", "nodes", "", "node"): False,
    ("agent", "patch", "nodes", "", "node"): False,
    ("agent", "list", "pods", OWN, ""): False,
}
"""Account, verb, resource, namespace (empty: all) and name: whether it may."""


async def may(cluster: Cluster, account: str, call: tuple[str, str, str, str]) -> bool:
    """As `kubectl auth can-i --as`."""
    verb, resource, namespace, name = call
    plural, _, rest = resource.partition(".")
    plural, _, inner = plural.partition("/")
    group, _, subresource = rest.partition("/")
    asked = {
        "verb": verb,
        "group": group,
        "resource": plural,
        "subresource": subresource or inner,
        "namespace": namespace,
        "name": name,
    }
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{OWN}", "system:authenticated"]
    user = f"system:serviceaccount:{OWN}:penstock-{account}"
    spec = {"user": user, "groups": groups, "resourceAttributes": asked}
    found = await cluster.create(REVIEWS, {"metadata": {}, "spec": spec})
    return bool(found["status"]["allowed"])


async def test_pain_14_what_our_accounts_may_do(release: Release, cluster: Cluster) -> None:
    await ensure(cluster, "models")
    release.install(
        providerNamespaces=["models"],
        agent={"enabled": True},
        ollama={"namespaces": ["models"]},
    )

    async def wrong() -> list[tuple[str, ...]]:
        return [
            key
            for key, allowed in GRANTED.items()
            if await may(cluster, key[0], key[1:]) != allowed
        ]

    async def none_wrong() -> bool:  # the authorizer hears of new roles a moment later
        found = await wrong()
        assert found == []
        return True

    assert await eventually(none_wrong)


async def test_pain_14_within_one_namespace_nothing_is_seen_of_others(
    release: Release, cluster: Cluster
) -> None:
    await ensure(cluster, "team-a")
    release.install(watchNamespaces=["team-a"])

    async def right() -> bool:
        for namespace, allowed in (("team-a", True), ("shop", False), ("", False)):
            for call in (
                ("list", "routepolicies.penstock.dev", namespace, ""),
                ("list", "pods", namespace, ""),
                ("get", "secrets", namespace, "penstock-credentials"),
            ):
                assert await may(cluster, "operator", call) == allowed, call
        assert not await may(cluster, "operator", ("list", "namespaces", "", ""))
        return True

    assert await eventually(right)


async def test_without_the_nudge_pods_cannot_be_touched(release: Release, cluster: Cluster) -> None:
    release.install(nudge={"enabled": False})

    async def right() -> bool:
        assert not await may(cluster, "operator", ("patch", "pods", "shop", "any"))
        assert await may(cluster, "operator", ("list", "pods", "shop", ""))
        return True

    assert await eventually(right)


async def ensure(cluster: Cluster, name: str) -> None:
    names = [each["metadata"]["name"] for each in await cluster.list(NAMESPACES)]
    if name not in names:
        await cluster.create(NAMESPACES, {"metadata": {"name": name}})
