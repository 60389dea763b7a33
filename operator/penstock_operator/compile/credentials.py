"""What of providers lies in Secrets, and the secret half of a namespace's configuration."""

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr

from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.embedder import EmbedderAccess, namespace_token
from penstock_config.provider import Provider
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.reference import SecretKeyReference
from penstock_operator.compile.parse import ref_of
from penstock_operator.compile.problem import Problem, Reason
from penstock_operator.compile.snapshot import (
    RedisLogin,
    RedisSettings,
    SecretData,
    SecretId,
    Snapshot,
)

MAX_PEM_BYTES: Final = 64 * 1024
"""Every namespace that reaches the provider gets a copy."""
_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----")
NO_HEADER: Final = (
    "nothing that a header can carry: store the key alone, as plain ASCII text (in base64 under"
    " data, in quotes under stringData)"
)
NO_LOGIN: Final = "nothing of the form <user>:<password>: store the proxy's login so"
NO_CERTIFICATE: Final = (
    "no certificate that can be read: store the authorities' certificates in PEM form, at most"
    f" {MAX_PEM_BYTES // 1024} KiB of them"
)
Read = Callable[[bytes], str | None]
"""A Secret's value as it is sent on; `None` is no such thing."""


@dataclass(frozen=True, slots=True)
class ProviderSecrets:
    """A provider's keys, in the order of `secretRefs`, and what else of it lies in Secrets; those
    that could not be had are problems."""

    keys: tuple[SecretStr, ...] = ()
    client_secret: SecretStr | None = None
    proxy_login: SecretStr | None = None
    authorities: str | None = field(default=None, repr=False)
    problems: tuple[Problem, ...] = ()

    def missing_for(self, config: Provider) -> str | None:
        """What the provider cannot be reached without and is not there."""
        needed = {
            "key": config.needs_key and not self.keys,
            "client secret": bool(config.entra and config.entra.has_secret)
            and self.client_secret is None,
            "proxy login": config.proxy_login and self.proxy_login is None,
            "CA certificate": config.private_ca and self.authorities is None,
        }
        return next((name for name, missing in needed.items() if missing), None)


def provider_secrets(
    provider: LLMProvider, secrets: Mapping[SecretId, SecretData]
) -> ProviderSecrets:
    """All that the provider's references to Secrets lead to."""
    spec, desk = provider.spec, _Desk(provider, secrets)
    credentials = spec.credentials
    refs = credentials.secret_refs if credentials else ()
    entra = credentials.entra if credentials else None
    keys = [
        desk.read(ref, f"spec.credentials.secretRefs[{index}]", _header_value, NO_HEADER)
        for index, ref in enumerate(refs)
    ]
    client_secret = desk.read(
        entra.client_secret_ref if entra else None,
        "spec.credentials.entra.clientSecretRef",
        _header_value,
        NO_HEADER,
    )
    login = desk.read(spec.proxy_secret_ref, "spec.proxySecretRef", _login, NO_LOGIN)
    ca = spec.tls.ca_secret_ref if spec.tls else None
    return ProviderSecrets(
        keys=tuple(SecretStr(key) for key in dict.fromkeys(filter(None, keys))),
        client_secret=_secret(client_secret),
        proxy_login=_secret(login),
        authorities=desk.read(ca, "spec.tls.caSecretRef", _certificates, NO_CERTIFICATE),
        problems=tuple(desk.problems),
    )


class _Desk:
    """Reads one provider's Secrets, and notes what it cannot read."""

    def __init__(self, provider: LLMProvider, secrets: Mapping[SecretId, SecretData]) -> None:
        self.problems: list[Problem] = []
        self._ref = ref_of(provider)
        self._secrets = secrets

    def read(
        self, ref: SecretKeyReference | None, path: str, read: Read, otherwise: str
    ) -> str | None:
        """`None` where there is no reference, or a problem; `otherwise` ends a sentence."""
        if ref is None:
            return None
        value = _value(self._ref.namespace, ref, self._secrets)
        if not isinstance(value, bytes):
            self._miss(path, *value)
            return None
        text = read(value)
        if text is None:
            where = f"Secret {self._ref.namespace}/{ref.name} has under {ref.key}"
            self._miss(path, "SecretKeyInvalid", f"{where} {otherwise}")
        return text

    def _miss(self, path: str, reason: Reason, message: str) -> None:
        self.problems.append(Problem(self._ref, "ResolvedRefs", reason, message, path=path))


def _value(
    namespace: str, ref: SecretKeyReference, secrets: Mapping[SecretId, SecretData]
) -> bytes | tuple[Reason, str]:
    """The value, or why there is none and what to do."""
    secret = secrets.get((namespace, ref.name))
    where = f"Secret {namespace}/{ref.name}"
    if secret is None:
        return "SecretNotFound", f"{where} does not exist: create it with the key {ref.key}"
    if not secret.readable:
        return "SecretAccessNotGranted", (
            f"{where} may not be read: add {namespace} to the chart's value providerNamespaces"
        )
    if ref.key not in secret.values:
        return "SecretKeyMissing", f"{where} has no key {ref.key}: add it, or name another"
    return secret.values[ref.key]


def _header_value(data: bytes) -> str | None:
    text = data.decode("ascii", errors="replace").strip()
    return text if text and text.isascii() and text.isprintable() else None


def _login(data: bytes) -> str | None:
    text = data.decode("utf-8", errors="replace").strip()
    user, colon, _ = text.partition(":")
    return text if user and colon and text.isprintable() and "\ufffd" not in text else None


def _certificates(data: bytes) -> str | None:
    """The certificates alone: a key that lies beside them goes nowhere."""
    found = _CERTIFICATE.findall(data.decode("ascii", errors="replace"))
    pem = "".join(f"{each}\n" for each in found)
    if not found or len(pem) > MAX_PEM_BYTES:
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        return None
    return pem


def credentials_of(
    namespace: str, snapshot: Snapshot, secrets: Mapping[str, ProviderSecrets]
) -> Credentials | None:
    """What the namespace's sidecars may know; `None` while the namespace has no scope key."""
    scope_key = snapshot.scope_keys.get(namespace)
    if not scope_key:
        return None
    found = secrets.items()
    return Credentials(
        provider_keys={id_: each.keys for id_, each in found if each.keys},
        client_secrets={id_: each.client_secret for id_, each in found if each.client_secret},
        proxy_logins={id_: each.proxy_login for id_, each in found if each.proxy_login},
        authorities={id_: each.authorities for id_, each in found if each.authorities},
        redis=_redis_access(namespace, snapshot),
        embedder=_embedder_access(namespace, snapshot),
        scope_key=SecretStr(scope_key),
    )


def _redis_access(namespace: str, snapshot: Snapshot) -> RedisAccess | None:
    settings, logins = snapshot.redis, snapshot.redis_logins
    if settings is None:
        return None
    login: RedisLogin | RedisSettings | None
    login = settings if logins is None else logins.get(namespace)
    if login is None:
        return None
    return RedisAccess(
        url=settings.url,
        username=login.username,
        password=_secret(login.password),
        sentinel_username=settings.sentinel_username,
        sentinel_password=_secret(settings.sentinel_password),
        ca_pem=settings.ca_pem,
    )


def _embedder_access(namespace: str, snapshot: Snapshot) -> EmbedderAccess | None:
    settings = snapshot.embedder
    if settings is None:
        return None
    token = namespace_token(settings.secret, snapshot.cluster, namespace)
    return EmbedderAccess(url=settings.url, token=SecretStr(token), ca_pem=settings.ca_pem)


def _secret(text: str | None) -> SecretStr | None:
    return None if text is None else SecretStr(text)
