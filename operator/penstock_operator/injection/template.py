"""The sidecar that a pod gets unless its annotations say otherwise."""

from dataclasses import dataclass
from typing import Final, Literal, Self, get_args

from penstock_operator.environment import SettingsError
from penstock_operator.injection.quantity import Kind, amount
from penstock_operator.settings import Resources, Settings

Mode = Literal["native", "container"]
SYSTEM_NAMESPACES: Final = frozenset({"kube-system", "kube-public", "kube-node-lease"})


@dataclass(frozen=True, slots=True)
class Template:
    """What comes from the injector's settings."""

    image: str
    pull_policy: str
    resources: Resources
    version: str
    protected_namespaces: frozenset[str]
    """Where no pod is touched."""

    @classmethod
    def of(cls, settings: Settings, version: str) -> Self:
        """`SettingsError` for resources that no container could have."""
        resources = settings.sidecar_resources
        for kind in get_args(Kind):
            if not are_fit(resources, kind):
                msg = f"PENSTOCK_SIDECAR_RESOURCES: {kind}: expected a request within the limit"
                raise SettingsError(msg)
        return cls(
            image=settings.sidecar_image or f"penstock-sidecar:{version}",
            pull_policy=settings.sidecar_pull_policy,
            resources=resources,
            version=version,
            protected_namespaces=protected_namespaces(settings.namespace),
        )


def protected_namespaces(own: str) -> frozenset[str]:
    """Where no pod is ever touched; `own` is the installation's."""
    return SYSTEM_NAMESPACES | {own}


def are_fit(resources: Resources, kind: Kind) -> bool:
    """Whether request and limit are amounts, and the request is within the limit."""
    texts = [resources.get(field, {}).get(kind) for field in ("requests", "limits")]
    amounts = [None if text is None else amount(kind, text) for text in texts]
    if any(text is not None and found is None for text, found in zip(texts, amounts, strict=True)):
        return False
    request, limit = amounts
    return request is None or limit is None or request <= limit
