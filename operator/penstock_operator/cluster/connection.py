"""Where the API server is, and as whom we speak: a kubeconfig or a service account."""

import os
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml
from kubernetes.aio import client as kube
from kubernetes.aio import config as kube_config

from penstock_operator.cluster.client import Cluster
from penstock_operator.cluster.errors import ClusterUnreachable

UNUSABLE: Final = (
    kube_config.ConfigException,
    OSError,
    TypeError,  # the loader's own, for a file that is empty or holds something else
    ValueError,
    yaml.YAMLError,
)


@dataclass(frozen=True, slots=True)
class Access:
    """What another client (kopf's) needs to speak to the same server as the same user."""

    server: str
    ca_path: str | None = None
    insecure: bool = False
    authorization: str | None = field(default=None, repr=False)
    """The header's value: scheme and token."""
    certificate_path: str | None = None
    private_key_path: str | None = None
    proxy_url: str | None = None


@asynccontextmanager
async def connect(
    kubeconfig: Path | None = None, may_write: Callable[[], bool] = lambda: True
) -> AsyncIterator[Cluster]:
    """A client for the running event loop. Nothing is sent before the first call.

    Without usable access data it raises `ClusterUnreachable`.
    """
    async with kube.ApiClient(await _configuration(kubeconfig)) as api:
        yield Cluster(api, may_write)


async def access(kubeconfig: Path | None = None) -> Access:
    """Read again at each call, so that a renewed token is seen."""
    found = await _configuration(kubeconfig)
    authorization = (await found.auth_settings()).get("BearerToken", {}).get("value")
    return Access(
        server=found.host,
        ca_path=found.ssl_ca_cert,
        insecure=not found.verify_ssl,
        authorization=authorization,
        certificate_path=found.cert_file,
        private_key_path=found.key_file,
        proxy_url=found.proxy,
    )


def kubeconfig_path(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The kubeconfig to use; `None` is the service account of the pod."""
    if given is not None:
        return given
    if path := environment.get("KUBECONFIG"):
        return Path(path)
    return None if "KUBERNETES_SERVICE_HOST" in environment else Path.home() / ".kube" / "config"


def forgive_old_cas(context: ssl.SSLContext) -> ssl.SSLContext:
    """Takes back what Python 3.13 added to its default: many clusters' CAs, made years ago, lack an
    extension that RFC 5280 asks for. Name, time and signature are checked as before."""
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


async def _configuration(kubeconfig: Path | None) -> kube.Configuration:
    path = kubeconfig_path(kubeconfig)
    if path is not None and not path.is_file():
        msg = f"no access to an API server: there is no kubeconfig {path}; set KUBECONFIG"
        raise ClusterUnreachable(msg)
    found = kube.Configuration()
    found.disable_strict_ssl_verification = True  # see `forgive_old_cas`
    try:
        if path is None:
            kube_config.load_incluster_config(found)  # type: ignore[no-untyped-call]
        else:
            await kube_config.load_kube_config(  # type: ignore[no-untyped-call]
                str(path), client_configuration=found, persist_config=False
            )
    except UNUSABLE as error:
        where = path or "the pod's service account"
        msg = f"no access to an API server by {where}: {error}"
        raise ClusterUnreachable(msg) from error
    return found
