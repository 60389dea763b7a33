"""What the injector looks at in a pod (v1.Pod), parsed once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from penstock_operator.api.names import CONTAINER, INJECTED_ANNOTATION

Document = Mapping[str, Any]
DEFAULT_GRACE_SECONDS: Final = 30
OS_LABELS: Final = ("kubernetes.io/os", "beta.kubernetes.io/os")


@dataclass(frozen=True, slots=True)
class Variable:
    """One of a container's `env`. `value` is `None` where it comes from elsewhere."""

    name: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Container:
    """A container or init container, and where it is in the pod."""

    field: str
    """`containers` or `initContainers`."""
    index: int
    name: str
    image: str
    variables: tuple[Variable, ...]
    reads_whole_sources: bool
    """Whether it has `envFrom`: variables whose names nobody sees here."""
    secrets: frozenset[str]
    """Secrets that its environment reads."""
    ports: frozenset[int]
    """TCP."""
    user: int | None
    """Its own or the pod's `runAsUser`; `None`: the image's."""
    mounts: frozenset[str]
    """Names of volumes."""

    @classmethod
    def of(cls, field: str, index: int, document: Document, pod_user: int | None) -> Self:
        env, sources = _list(document, "env"), _list(document, "envFrom")
        own_user = _map(document, "securityContext").get("runAsUser")
        return cls(
            field=field,
            index=index,
            name=document["name"],
            image=document.get("image") or "",
            variables=tuple(_variable(each) for each in env),
            reads_whole_sources=bool(sources),
            secrets=frozenset(_secrets_of_environment(env, sources)),
            ports=frozenset(
                port["containerPort"]
                for port in _list(document, "ports")
                if port.get("protocol", "TCP") == "TCP"
            ),
            user=pod_user if own_user is None else own_user,
            mounts=frozenset(each["name"] for each in _list(document, "volumeMounts")),
        )


@dataclass(frozen=True, slots=True)
class Controller:
    """The object that made the pod."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as it is asked for; `namespace` is told by the request."""

    namespace: str
    name: str
    """Empty where only `generate_name` is known yet."""
    generate_name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    controller: Controller | None
    has_ended: bool
    is_leaving: bool
    restart_policy: str
    grace_seconds: int
    host_network: bool
    shares_processes: bool
    """Among its containers, or with the node."""
    is_windows: bool
    containers: tuple[Container, ...]
    """Without ours, as are the init containers."""
    init_containers: tuple[Container, ...]
    sidecar: Container | None
    """The container that has our name, ours or not."""
    volumes: Mapping[str, frozenset[str]]
    """By name, the Secrets that each shows."""

    @classmethod
    def of(cls, document: Document, namespace: str) -> Self:
        metadata, spec = _map(document, "metadata"), _map(document, "spec")
        containers = tuple(_containers(spec, "containers"))
        init_containers = tuple(_containers(spec, "initContainers"))
        named = [each for each in (*init_containers, *containers) if each.name == CONTAINER]
        grace = spec.get("terminationGracePeriodSeconds")
        return cls(
            namespace=namespace,
            name=metadata.get("name") or "",
            generate_name=metadata.get("generateName") or "",
            labels=_map(metadata, "labels"),
            annotations=_map(metadata, "annotations"),
            controller=_controller(metadata),
            has_ended=_map(document, "status").get("phase") in {"Succeeded", "Failed"},
            is_leaving=metadata.get("deletionTimestamp") is not None,
            restart_policy=spec.get("restartPolicy") or "Always",
            grace_seconds=DEFAULT_GRACE_SECONDS if grace is None else grace,
            host_network=spec.get("hostNetwork") is True,
            shares_processes=True in (spec.get("shareProcessNamespace"), spec.get("hostPID")),
            is_windows=_is_windows(spec),
            containers=tuple(each for each in containers if each not in named),
            init_containers=tuple(each for each in init_containers if each not in named),
            sidecar=named[0] if named else None,
            volumes={
                each["name"]: frozenset(_secrets_of_volume(each)) for each in _list(spec, "volumes")
            },
        )

    @property
    def is_injected(self) -> bool:
        """Whether the container with our name was put there by us."""
        return self.sidecar is not None and INJECTED_ANNOTATION in self.annotations


def _containers(spec: Document, field: str) -> Iterator[Container]:
    user = _map(spec, "securityContext").get("runAsUser")
    for index, each in enumerate(_list(spec, field)):
        yield Container.of(field, index, each, user)


def _variable(document: Document) -> Variable:
    value = None if document.get("valueFrom") else document.get("value") or ""
    return Variable(document["name"], value)


def _secrets_of_environment(env: list[Document], sources: list[Document]) -> Iterator[str]:
    for each in env:
        yield from _name_in(_map(each, "valueFrom"), "secretKeyRef", "name")
    for each in sources:
        yield from _name_in(each, "secretRef", "name")


def _secrets_of_volume(volume: Document) -> Iterator[str]:
    yield from _name_in(volume, "secret", "secretName")
    for source in _list(_map(volume, "projected"), "sources"):
        yield from _name_in(source, "secret", "name")


def _name_in(document: Document, field: str, key: str) -> Iterator[str]:
    if name := _map(document, field).get(key):
        yield name


def _controller(metadata: Document) -> Controller | None:
    for each in _list(metadata, "ownerReferences"):
        if each.get("controller") is True:
            return Controller(each["kind"], each["name"])
    return None


def _is_windows(spec: Document) -> bool:
    wanted = _map(spec, "nodeSelector")
    systems = [_map(spec, "os").get("name"), *(wanted.get(label) for label in OS_LABELS)]
    return "windows" in systems


def _map(document: Document, field: str) -> Mapping[str, Any]:
    return document.get(field) or {}


def _list(document: Document, field: str) -> list[Document]:
    return document.get(field) or []
