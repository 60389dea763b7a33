"""Where access to the API server comes from."""

import ssl
from pathlib import Path

import pytest

from penstock_operator.cluster import ClusterUnreachable, connect
from penstock_operator.cluster.connection import (
    access,
    forgive_old_cas,
    kubeconfig_path,
)
from tests.operator.cluster.api_server import write_kubeconfig


def test_a_given_kubeconfig_is_preferred() -> None:
    environment = {"KUBECONFIG": "/other", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    assert kubeconfig_path(Path("/given"), environment) == Path("/given")
    assert kubeconfig_path(None, environment) == Path("/other")


def test_in_a_pod_it_is_the_service_account() -> None:
    assert kubeconfig_path(None, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}) is None


def test_elsewhere_it_is_the_users_own() -> None:
    assert kubeconfig_path(None, {}) == Path.home() / ".kube" / "config"


async def test_a_kubeconfig_that_is_not_there_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ClusterUnreachable, match="set KUBECONFIG"):
        async with connect(tmp_path / "none"):
            pass


@pytest.mark.parametrize("text", ["", "{", "clusters: []"], ids=["empty", "cut", "without-context"])
async def test_a_kubeconfig_that_is_none_says_which(text: str, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(ClusterUnreachable, match=str(path)):
        async with connect(path):
            pass


async def test_access_carries_the_token_and_does_not_print_it(tmp_path: Path) -> None:
    found = await access(write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:1"))
    assert found.server == "http://127.0.0.1:1"
    assert found.authorization == "Bearer hush-token"
    assert "hush" not in repr(found)


async def test_a_ca_without_newer_extensions_is_trusted(tmp_path: Path) -> None:
    """Python 3.13 and newer refuse it by default; clusters keep theirs for ten years."""
    async with connect(write_kubeconfig(tmp_path / "kubeconfig", "https://127.0.0.1:1")) as cluster:
        context = cluster._api.rest_client.ssl_context
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    strict = ssl.create_default_context()
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    forgiving = forgive_old_cas(strict)
    assert not forgiving.verify_flags & ssl.VERIFY_X509_STRICT
    assert forgiving.verify_mode is ssl.CERT_REQUIRED
    assert forgiving.check_hostname
