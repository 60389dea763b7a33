"""What the watches have told so far. Touched by one event loop only; does no I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from penstock_config.credentials import RedisAccess
from penstock_operator.api.budget import Budget
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.model_tier import ModelTier
from penstock_operator.api.names import INJECT_LABEL
from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.cluster.published import (
    config_digest,
    credentials_digest,
    older_credentials_digest,
    older_digest,
    redis_access,
    scope_key,
)
from penstock_operator.compile.parse import Resource, parse_resource, salvage
from penstock_operator.compile.problem import ObjectRef, Problem
from penstock_operator.delivery.pods import SeenPod, is_finished, is_static, seen_pod
from penstock_operator.plan import Published

Body = Mapping[str, Any]
READ_BACK: Final = (Budget.kind, LLMProvider.kind, ModelTier.kind, RoutePolicy.kind)
"""Kinds whose status says what this process could not know after a restart."""
SIDECAR_SELECTOR: Final = f"{INJECT_LABEL}=true"
"""Pods that carry a sidecar; the label is set by people, or stamped by the injector."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One custom resource as last seen."""

    ref: ObjectRef
    uid: str
    generation: int
    resource: Resource | None
    """What is in force. Of an object that no longer parses: its last version that did."""
    salvaged: Resource | None = None
    """Of one that never parsed: what of it must hold in any case."""
    fault: Problem | None = None
    conditions: Sequence[Mapping[str, object]] = ()
    observed_generation: int = 0
    status: Mapping[str, Any] = field(default_factory=dict)
    """Of the kinds in `READ_BACK`."""

    def same_input(self, other: "Seen") -> bool:
        """Whether nothing changed but what we write ourselves."""
        blank: dict[str, Any] = {"conditions": (), "observed_generation": 0, "status": {}}
        return replace(self, **blank) == replace(other, **blank)


@dataclass(slots=True)
class Inventory:
    """Each `note_*` says whether anything changed that a compilation looks at.

    Of what is `gone`, kind and metadata suffice.
    """

    objects: dict[ObjectRef, Seen] = field(default_factory=dict)
    namespaces: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels; without those that are being deleted."""
    pods: dict[tuple[str, str], SeenPod] = field(default_factory=dict)
    _touched: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    """Versions of pods since our touch, until the watch has told of it."""
    published: dict[str, Published] = field(default_factory=dict)
    scope_keys: dict[str, str] = field(default_factory=dict, repr=False)
    redis_access: dict[str, RedisAccess] = field(default_factory=dict)
    """What the published credentials say."""
    redis_passwords: dict[str, str] = field(default_factory=dict, repr=False)
    """Made for namespaces whose credentials do not say theirs yet."""
    listeners: list[Callable[[], None]] = field(default_factory=list, repr=False)
    """Called when a pod, or what is published, is no longer as it was."""

    def note_object(self, body: Body, *, gone: bool = False) -> bool:
        ref = _ref(body)
        if gone:
            return self.objects.pop(ref, None) is not None
        seen, former = _seen(ref, body), self.objects.get(ref)
        if seen.resource is None and former is not None and former.uid == seen.uid:
            seen = replace(seen, resource=former.resource)
        self.objects[ref] = seen
        return former is None or not seen.same_input(former)

    def note_namespace(self, body: Body, *, gone: bool = False) -> bool:
        meta = body["metadata"]
        if gone or meta.get("deletionTimestamp"):
            self.scope_keys.pop(meta["name"], None)
            self.redis_passwords.pop(meta["name"], None)
            return self.namespaces.pop(meta["name"], None) is not None
        labels = dict(meta.get("labels") or {})
        former = self.namespaces.get(meta["name"])
        self.namespaces[meta["name"]] = labels
        return former != labels

    def note_pod(self, body: Body, *, gone: bool = False) -> bool:
        meta = body["metadata"]
        key = (meta["namespace"], meta["name"])
        if gone or is_finished(body) or is_static(body):  # a static pod can mount no Secret
            self._touched.pop(key, None)
            return self.pods.pop(key, None) is not None
        pod, former = seen_pod(body), self.pods.get(key)
        if former is not None and former.uid == pod.uid and self._is_older(key, meta):
            pod = replace(pod, mark=former.mark)
        if pod == former:
            return False
        self.pods[key] = pod
        self._stir()
        return former is None or former.labels != pod.labels

    def note_touched(self, pod: SeenPod, mark: str, version: str) -> None:
        """What we wrote ourselves, ahead of the watch; the pod has that `resourceVersion` since."""
        key = (pod.namespace, pod.name)
        current = self.pods.get(key)
        if current is not None and current.uid == pod.uid:
            self.pods[key] = replace(current, mark=mark)
            self._touched[key] = version

    def _is_older(self, key: tuple[str, str], meta: Body) -> bool:
        """Whether the watch tells of before our own touch. Versions are numbers that grow, says
        Kubernetes since 1.35 (KEP-5504), and they always were."""
        touched, told = self._touched.get(key, ""), str(meta.get("resourceVersion", ""))
        if touched.isdecimal() and told.isdecimal() and int(told) < int(touched):
            return True
        self._touched.pop(key, None)
        return False

    def note_config(self, body: Body, *, gone: bool = False) -> bool:
        document = dict(body)
        return self._publish(
            body,
            config=None if gone else config_digest(document),
            older=None if gone else older_digest(document),
        )

    def note_credentials(self, body: Body, *, gone: bool = False) -> bool:
        namespace, key = body["metadata"]["namespace"], scope_key(dict(body))
        # Of a Secret that somebody deleted it is kept: with another, all counters begin anew.
        if key:
            self.scope_keys[namespace] = key
        self._note_redis(namespace, None if gone else redis_access(dict(body)))
        return self._publish(
            body,
            credentials=None if gone else credentials_digest(dict(body)),
            older_credentials=None if gone else older_credentials_digest(dict(body)),
        )

    def _note_redis(self, namespace: str, access: RedisAccess | None) -> None:
        """A Secret that somebody deletes takes its password along."""
        self.redis_passwords.pop(namespace, None)
        self.redis_access.pop(namespace, None)
        if access is not None:
            self.redis_access[namespace] = access

    def note_written(self, namespace: str, published: Published) -> None:
        """What we wrote ourselves, ahead of the watch."""
        self._set(namespace, published)

    def _publish(self, body: Body, **digest: str | None) -> bool:
        namespace = body["metadata"]["namespace"]
        former = self.published.get(namespace, Published())
        self._set(namespace, replace(former, **digest))
        return self.published.get(namespace, Published()) != former

    def _set(self, namespace: str, published: Published) -> None:
        if published == self.published.get(namespace, Published()):
            return
        if published == Published():
            self.published.pop(namespace, None)
        else:
            self.published[namespace] = published
        self._stir()

    def _stir(self) -> None:
        for listener in self.listeners:
            listener()


def _ref(body: Body) -> ObjectRef:
    return ObjectRef(body["kind"], body["metadata"]["namespace"], body["metadata"]["name"])


def _seen(ref: ObjectRef, body: Body) -> Seen:
    meta, status = body["metadata"], body.get("status") or {}
    parsed = parse_resource(body)
    return Seen(
        ref=ref,
        uid=meta["uid"],
        generation=meta.get("generation", 0),
        resource=None if isinstance(parsed, Problem) else parsed,
        salvaged=salvage(body) if isinstance(parsed, Problem) else None,
        fault=parsed if isinstance(parsed, Problem) else None,
        conditions=tuple(dict(each) for each in status.get("conditions") or ()),
        observed_generation=status.get("observedGeneration", 0),
        status=dict(status) if ref.kind in READ_BACK else {},
    )
