"""Service accounts of tests, with rights from a file and tokens of their own."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import yaml

from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import Document, Resource
from tests.cluster.objects import delete, put

SERVICE_ACCOUNTS: Final = Resource("", "v1", "ServiceAccount", "serviceaccounts")
RBAC: Final = {
    kind: Resource("rbac.authorization.k8s.io", "v1", kind, f"{kind.lower()}s")
    for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
}
RIGHTS: Final = Path(__file__).parent / "rights.yaml"


def rights(own: str, home: str) -> list[Document]:
    """The operator's, for all namespaces."""
    text = RIGHTS.read_text()
    return list(yaml.safe_load_all(text.replace("OPERATOR", own).replace("PROVIDERS", home)))


def rights_to_run_models(own: str, models: str) -> list[Document]:
    """Beside `rights`: those with which the operator runs models in one namespace."""
    text = (Path(__file__).parent / "rights-models.yaml").read_text()
    return list(yaml.safe_load_all(text.replace("OPERATOR", own).replace("MODELS", models)))


def rights_within(own: str, home: str) -> list[Document]:
    """The same for one namespace: Roles in place of ClusterRoles, and no Namespaces."""
    found = []
    for document in rights(own, home):
        if document["kind"].startswith("Cluster"):
            document["kind"] = document["kind"].removeprefix("Cluster")
            document["metadata"]["namespace"] = home
        if "roleRef" in document:
            document["roleRef"]["kind"] = "Role"
        for rule in document.get("rules", ()):
            rule["resources"] = [each for each in rule["resources"] if each != "namespaces"]
        found.append(document)
    return found


async def service_account(
    cluster: Cluster, kubeconfig: Path, directory: Path, namespace: str, name: str = "operator"
) -> Path:
    """A kubeconfig for a fresh ServiceAccount."""
    account = {"metadata": {"name": name, "namespace": namespace}}
    await cluster.create(SERVICE_ACCOUNTS, account)
    path = SERVICE_ACCOUNTS.path(namespace, name, "token")
    token_request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": ["https://kubernetes.default.svc"], "expirationSeconds": 3600},
    }
    found = await cluster._call("POST", path, body=token_request)
    return _with_token(kubeconfig, directory / f"account-{name}", found["status"]["token"])


@asynccontextmanager
async def granted(cluster: Cluster, documents: Iterable[Document]) -> AsyncIterator[None]:
    """The roles and their bindings, until the block ends."""
    given = list(documents)
    for document in given:
        await put(cluster, RBAC[document["kind"]], document)
    try:
        yield
    finally:
        for document in given:
            meta = document["metadata"]
            await delete(cluster, RBAC[document["kind"]], meta["name"], meta.get("namespace"))


def _with_token(kubeconfig: Path, path: Path, token: str) -> Path:
    document = yaml.safe_load(kubeconfig.read_text())
    document["users"][0]["user"] = {"token": token}
    path.write_text(yaml.safe_dump(document))
    return path
