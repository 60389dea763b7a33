"""Provider keys out of Secrets, and the secret half of a namespace's configuration."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from penstock_config.credentials import Credentials, RedisAccess
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


@dataclass(frozen=True, slots=True)
class Keys:
    """A provider's keys, in the order of `secretRefs`; those that could not be had are problems."""

    values: tuple[SecretStr, ...]
    problems: tuple[Problem, ...]


def provider_keys(provider: LLMProvider, secrets: Mapping[SecretId, SecretData]) -> Keys:
    """All keys that `spec.credentials.secretRefs` leads to."""
    credentials = provider.spec.credentials
    values: dict[str, SecretStr] = {}
    problems = []
    for index, ref in enumerate(credentials.secret_refs if credentials else ()):
        found = _key(provider.metadata.namespace, ref, secrets)
        if isinstance(found, str):
            values[found] = SecretStr(found)
            continue
        reason, message = found
        path = f"spec.credentials.secretRefs[{index}]"
        problems.append(Problem(ref_of(provider), "ResolvedRefs", reason, message, path=path))
    return Keys(tuple(values.values()), tuple(problems))


def _key(
    namespace: str, ref: SecretKeyReference, secrets: Mapping[SecretId, SecretData]
) -> str | tuple[Reason, str]:
    """The key, or why there is none and what to do."""
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
    text = secret.values[ref.key].decode("ascii", errors="replace").strip()
    if not text or not text.isascii() or not text.isprintable():
        return "SecretKeyInvalid", (
            f"{where} has under {ref.key} nothing that a header can carry: store the key alone, as "
            "plain ASCII text (in base64 under data, in quotes under stringData)"
        )
    return text


def credentials_of(
    namespace: str, snapshot: Snapshot, keys: Mapping[str, tuple[SecretStr, ...]]
) -> Credentials | None:
    """What the namespace's sidecars may know; `None` while the namespace has no scope key."""
    scope_key = snapshot.scope_keys.get(namespace)
    if not scope_key:
        return None
    return Credentials(
        provider_keys={id_: values for id_, values in keys.items() if values},
        redis=_redis_access(namespace, snapshot),
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


def _secret(text: str | None) -> SecretStr | None:
    return None if text is None else SecretStr(text)
