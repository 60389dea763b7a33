"""What must be written and removed so that the cluster holds what was compiled. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from penstock_config.credentials import Credentials
from penstock_operator.compile.files import ConfigFiles, CredentialsFiles, File


@dataclass(frozen=True, slots=True)
class Published:
    """Digests of what a namespace holds. `None`: nothing; empty: something that is not right."""

    config: str | None = None
    credentials: str | None = None
    older: str | None = None
    """The same configuration for sidecars of the version before."""
    older_credentials: str | None = None


@dataclass(frozen=True, slots=True)
class NamespacePlan:
    """Credentials go first, so that no configuration names a provider whose key is not there."""

    namespace: str
    credentials: File | None = None
    config: File | None = None
    older: File | None = None
    """With `config`, always: they are one object."""
    older_credentials: File | None = None
    """With `credentials`, likewise."""
    remove: bool = False


def plan_writes(
    configs: Mapping[str, ConfigFiles],
    credentials: Mapping[str, Credentials],
    published: Mapping[str, Published],
    *,
    keep: Collection[str] = (),
) -> tuple[NamespacePlan, ...]:
    """Only what differs; namespaces in `keep` are left as they are."""
    plans = []
    for namespace in sorted({*configs, *published} - {*keep}):
        there = published.get(namespace, Published())
        secrets, config = credentials.get(namespace), configs.get(namespace)
        plan = (
            _written(namespace, config, there) if config else NamespacePlan(namespace, remove=True)
        )
        if secrets and (files := _differing(secrets, there)):
            plan = replace(plan, credentials=files.newest, older_credentials=files.older)
        if plan != NamespacePlan(namespace):
            plans.append(plan)
    return tuple(plans)


def _differing(credentials: Credentials, there: Published) -> CredentialsFiles | None:
    """Both versions, or neither."""
    files = CredentialsFiles.of(credentials)
    found = (files.newest.digest, files.older.digest)
    return None if found == (there.credentials, there.older_credentials) else files


def _written(namespace: str, config: ConfigFiles, there: Published) -> NamespacePlan:
    """Both versions, or neither."""
    if (config.newest.digest, config.older.digest) == (there.config, there.older):
        return NamespacePlan(namespace)
    return NamespacePlan(namespace, config=config.newest, older=config.older)
