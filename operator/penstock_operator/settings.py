"""What the environment says, read once at start. What may change comes from the API server."""

import json
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NewType, Self
from urllib.parse import urlsplit

from penstock_operator.environment import Parser, SettingsError, port, seconds, told

REDIS_SCHEMES: Final = (
    "redis",
    "rediss",
    "unix",
    "redis+sentinel",
    "rediss+sentinel",
    "redis+cluster",
    "rediss+cluster",
)
MAX_BUDGET_SECONDS: Final = 3600
MIN_LEAVES_OF_A_CA: Final = 4
"""Lives of a leaf in that of its CA: a third of it must suffice for the next CA to settle."""
MIN_LIFE_SECONDS: Final = 2
MAX_LIFE_SECONDS: Final = 20 * 365 * 24 * 3600
Life = NewType("Life", int)
"""Seconds that a certificate lives."""
_ACCOUNT: Final = re.compile(r"system:serviceaccount:[a-z0-9-]+:[a-z0-9.-]+")
Resources = Mapping[str, Mapping[str, str]]
"""`requests` and `limits` of a container: amounts by what of."""
Variables = Mapping[str, str]
"""Of a container's environment, by name."""
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IN_USER_NAMES: Final = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Settings:
    """Every field is `PENSTOCK_<FIELD>`; lists are separated by commas. Port 0: any free one."""

    cluster: str = "default"
    """Names the installation in Redis keys; two that share a Redis must differ."""
    namespace: str = "penstock-system"
    """The operator's own: its Lease, and the webhook's CA."""
    pod_name: str = field(default_factory=socket.gethostname)
    """Who holds the Lease; the process id is added."""
    provider_namespaces: tuple[str, ...] = ()
    """Where Secrets may be read. Empty: nowhere."""
    watch_namespaces: tuple[str, ...] = ()
    """Empty: all. Otherwise no cluster-wide right is used, and `from: Selector` sees names only."""
    kubeconfig: Path | None = None
    """`None`: KUBECONFIG, else the service account, else `~/.kube/config`."""
    redis_url: str | None = None
    """`redis+sentinel://host:port,host:port/<master>` and `redis+cluster://host:port,...` too."""
    redis_username: str | None = None
    redis_password: str | None = field(default=None, repr=False)
    redis_sentinel_username: str | None = None
    redis_sentinel_password: str | None = field(default=None, repr=False)
    redis_ca_file: Path | None = None
    redis_login_secret: str = "penstock-redis"  # noqa: S105  # a name
    """What `penstock-operator redis-login` makes."""
    redis_manage_users: bool = False
    """Whether each namespace gets a Redis user of its own: see `docs/redis-users.md`."""
    embedder_url: str | None = None
    """Of the embedder as sidecars reach it: `http://host:port` or `https://host:port`."""
    embedder_secret: str | None = field(default=None, repr=False)
    """That of the embedder's PENSTOCK_EMBEDDER_SECRET: namespaces' tokens are made from it."""
    embedder_ca_file: Path | None = None
    """Checks the embedder's certificate, where it has one of a private CA."""
    embedder_redis_password: str | None = field(default=None, repr=False)
    """Of the Redis user that is made for the embedder, where users are managed."""
    embedder_login_secret: str = "penstock-embedder"  # noqa: S105  # a name
    """What `penstock-operator embedder-login` makes."""
    probe_host: str = "0.0.0.0"  # noqa: S104  # the kubelet and Prometheus come from outside
    probe_port: int = 8080
    webhook_host: str = "0.0.0.0"  # noqa: S104  # the API server comes from outside
    webhook_port: int = 9443
    webhook_service: str = "penstock-injector"
    """The Service in front of the injector: the certificate's name."""
    webhook_hosts: tuple[str, ...] = ()
    """Further names and addresses for the certificate, where no Service is in front."""
    webhook_configuration: str = "penstock"
    """Name of the validating and the mutating configuration that get our CA, where they exist."""
    certificate_seconds: Life = Life(7 * 24 * 3600)
    """How long the injector's own certificate lives; it is renewed after half of that."""
    ca_seconds: Life = Life(3650 * 24 * 3600)
    """How long the CA lives that signs it; the next one is made when a third is left."""
    tls_dir: Path | None = None
    """Holds `tls.crt` and `tls.key` by cert-manager or others: then no CA of ours is made."""
    operator_account: str = ""
    """`system:serviceaccount:<namespace>:<name>` of the operator, whose changes of pods are judged
    by `/pods`. Empty: nobody's are."""
    sidecar_image: str = ""
    """Empty: `penstock-sidecar:<our version>`."""
    sidecar_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    sidecar_resources: Resources = field(
        default_factory=lambda: {
            "requests": {"cpu": "50m", "memory": "96Mi"},
            "limits": {"memory": "256Mi"},
        }
    )
    """JSON, as a container's `resources`. No limit of CPU: it would slow every call of the app."""
    ollama_namespaces: tuple[str, ...] = ()
    """Where models may be run, and Deployments be made for them. Empty: nowhere."""
    ollama_image: str = "docker.io/ollama/ollama:0.32.15"
    """Of providers that name none."""
    ollama_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    ollama_pull_secrets: tuple[str, ...] = ()
    """Names of Secrets with logins for registries of images, in the providers' namespaces."""
    ollama_environment: Variables = field(default_factory=dict, repr=False)
    """JSON, further variables of Ollama: HTTPS_PROXY for what it pulls, perhaps with a password."""
    ollama_runtime_class: str = ""
    """RuntimeClass of pods with GPUs. Empty: the node's own."""
    ollama_network_policies: bool = True
    """Whether only sidecars and the operator may reach the models' pods."""
    loader_image: str = ""
    """Runs beside Ollama. Empty: `penstock-operator:<our version>`."""
    loader_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    native_sidecars: Literal["auto", "always", "never"] = "auto"
    """Whether sidecars are init containers that go on; `auto`: where server and every kubelet are
    1.29 or newer."""
    budget_seconds: float = 5
    """How often spending is read, and at most how often a Budget's status is written."""
    notify_loopback: bool = False
    """Whether a Budget's webhook may be on this machine: a relay beside the operator."""
    nudge: bool = True
    """Whether pods are touched when their files change: see `docs/delivery.md`."""
    probe_providers: bool = True
    """Whether providers are asked now and then whether they are there: see `docs/health.md`."""
    probe_loopback: bool = False
    """Whether providers on this machine are probed: a relay beside the operator."""
    log_level: str = "info"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Reads and checks; `SettingsError` names the variable and what is expected."""
        settings = told(cls, environment, _PARSERS)
        settings.check()
        return settings

    @property
    def identity(self) -> str:
        """Unique among replicas. A container's first process is always 1, so that the next one
        in a pod is the same: the former is gone by then, and need not be waited for."""
        return f"{self.pod_name}_{os.getpid()}"

    def check(self) -> None:
        """`SettingsError` where a value is wrong by itself or beside the others."""
        self._check_certificates()
        if self.redis_manage_users:
            self._check_users()
        self._check_embedder()
        if self.redis_url is None:
            return
        address = urlsplit(self.redis_url)
        if address.scheme not in REDIS_SCHEMES:
            msg = f"PENSTOCK_REDIS_URL: expected {'://, '.join(REDIS_SCHEMES)}://"
            raise SettingsError(msg)
        if "@" in address.netloc:
            msg = (
                "PENSTOCK_REDIS_URL must not hold user or password: "
                "set PENSTOCK_REDIS_USERNAME and PENSTOCK_REDIS_PASSWORD"
            )
            raise SettingsError(msg)
        if self.redis_ca_file is not None and not self.redis_ca_file.is_file():
            msg = f"PENSTOCK_REDIS_CA_FILE: there is no file {str(self.redis_ca_file)!r}"
            raise SettingsError(msg)

    def _check_certificates(self) -> None:
        if self.ca_seconds < MIN_LEAVES_OF_A_CA * self.certificate_seconds:
            least = f"{MIN_LEAVES_OF_A_CA} times PENSTOCK_CERTIFICATE_SECONDS"
            msg = (
                f"PENSTOCK_CA_SECONDS={self.ca_seconds}: "
                f"expected at least {least} ({self.certificate_seconds})"
            )
            raise SettingsError(msg)
        account = self.operator_account
        if account and not _ACCOUNT.fullmatch(account):
            msg = (
                f"PENSTOCK_OPERATOR_ACCOUNT={account!r}: "
                "expected system:serviceaccount:<namespace>:<name>"
            )
            raise SettingsError(msg)

    def _check_embedder(self) -> None:
        if self.embedder_redis_password is not None and not self.redis_manage_users:
            msg = "PENSTOCK_EMBEDDER_REDIS_PASSWORD is set: set PENSTOCK_REDIS_MANAGE_USERS=true"
            raise SettingsError(msg)
        if self.embedder_url is None:
            return
        if not _is_origin(self.embedder_url):
            msg = "PENSTOCK_EMBEDDER_URL: expected http://host:port or https://host:port alone"
            raise SettingsError(msg)
        if self.embedder_secret is None:
            msg = "PENSTOCK_EMBEDDER_URL is set: set PENSTOCK_EMBEDDER_SECRET, as the embedder has"
            raise SettingsError(msg)
        if self.embedder_ca_file is not None and not self.embedder_ca_file.is_file():
            msg = f"PENSTOCK_EMBEDDER_CA_FILE: there is no file {str(self.embedder_ca_file)!r}"
            raise SettingsError(msg)

    def _check_users(self) -> None:
        if self.redis_url is None:
            msg = "PENSTOCK_REDIS_MANAGE_USERS is true: set PENSTOCK_REDIS_URL"
            raise SettingsError(msg)
        if not _IN_USER_NAMES.fullmatch(self.cluster):
            msg = (
                f"PENSTOCK_CLUSTER={self.cluster!r} is part of Redis users' names: "
                "write letters, digits, dots, dashes and underscores alone"
            )
            raise SettingsError(msg)


def _is_origin(url: str) -> bool:
    """Whether it says a scheme of HTTP, a host, perhaps a port, and nothing else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # brackets or a port that are none
        return False
    host = parts.hostname or ""
    whole = f"[{host}]" if ":" in host else host
    netloc = whole if port is None else f"{whole}:{port}"
    expected = f"{parts.scheme}://{netloc}"
    return bool(host) and parts.scheme in {"http", "https"} and url.lower() == expected


def _life(variable: str, text: str) -> Life:
    if not text.isdecimal() or not MIN_LIFE_SECONDS <= int(text) <= MAX_LIFE_SECONDS:
        expected = f"expected whole seconds, {MIN_LIFE_SECONDS} to {MAX_LIFE_SECONDS}"
        msg = f"{variable}={text!r}: {expected}"
        raise SettingsError(msg)
    return Life(int(text))


def _resources(variable: str, text: str) -> Resources:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(map(_are_amounts, found, found.values())):
        msg = f'{variable}: expected JSON such as {{"requests": {{"cpu": "50m"}}}}'
        raise SettingsError(msg)
    return {
        field: {name: str(amount) for name, amount in amounts.items()}
        for field, amounts in found.items()
    }


def _are_amounts(name: str, found: object) -> bool:
    """Numbers too, as people write them in YAML."""
    if name not in {"requests", "limits"} or not isinstance(found, dict):
        return False
    return all(type(each) in {str, int, float} for each in found.values())


def _variables(variable: str, text: str) -> Variables:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(map(_is_variable, found, found.values())):
        msg = f'{variable}: expected JSON such as {{"HTTPS_PROXY": "http://proxy:3128"}}'
        raise SettingsError(msg)
    return found


def _is_variable(name: str, value: object) -> bool:
    return _VARIABLE.fullmatch(name) is not None and isinstance(value, str)


def _truth(variable: str, text: str) -> bool:
    if text not in ("true", "false"):
        msg = f"{variable}={text!r}: expected true or false"
        raise SettingsError(msg)
    return text == "true"


_PARSERS: Final[Mapping[object, Parser]] = {
    int: port,  # all of them are
    float: seconds(MAX_BUDGET_SECONDS),
    Life: _life,
    bool: _truth,
    Resources: _resources,
    Variables: _variables,
}
