"""What must be written and removed so that the cluster holds what was compiled. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from penstock_config.codec import digest, encode
from penstock_config.credentials import Credentials
from penstock_config.schema import SidecarConfig


@dataclass(frozen=True, slots=True)
class Published:
    """Digests of what a namespace holds. `None`: nothing; empty: something that is not right."""

    config: str | None = None
    credentials: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """One file for the namespace's sidecars."""

    data: bytes = field(repr=False)
    digest: str


@dataclass(frozen=True, slots=True)
class NamespacePlan:
    """Credentials go first, so that no configuration names a provider whose key is not there."""

    namespace: str
    credentials: File | None = None
    config: File | None = None
    remove: bool = False


def plan_writes(
    configs: Mapping[str, SidecarConfig],
    credentials: Mapping[str, Credentials],
    published: Mapping[str, Published],
    *,
    keep: Collection[str] = (),
) -> tuple[NamespacePlan, ...]:
    """Only what differs; namespaces in `keep` are left as they are."""
    plans = []
    for namespace in sorted({*configs, *published} - {*keep}):
        there = published.get(namespace, Published())
        plan = NamespacePlan(
            namespace,
            credentials=_changed(credentials.get(namespace), there.credentials),
            config=_changed(configs.get(namespace), there.config),
            remove=namespace not in configs,
        )
        if plan.credentials or plan.config or plan.remove:
            plans.append(plan)
    return tuple(plans)


def _changed(wanted: SidecarConfig | Credentials | None, there: str | None) -> File | None:
    if wanted is None:
        return None
    data = encode(wanted)
    name = digest(data)
    return None if name == there else File(data, name)
