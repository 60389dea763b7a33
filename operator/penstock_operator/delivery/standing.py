"""What a sidecar's heartbeat says of it, beside what is published. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from penstock_config.heartbeat import Heartbeat
from penstock_config.policy import Policy
from penstock_operator.compile.labels import keys_of, selects
from penstock_operator.delivery.pods import SeenPod
from penstock_operator.plan import Published

Standing = Literal["current", "stale", "rejected", "unknown"]
Heard = Mapping[str, Heartbeat | None]
"""By pod UID: `None` has no heartbeat. Of one that is not in here nobody could ask."""
NOBODY: Final[Heard] = {}


@dataclass(frozen=True, slots=True)
class Counts:
    """Pods that one policy rules. The four standings add up to `total`."""

    total: int = 0
    current: int = 0
    stale: int = 0
    rejected: int = 0
    unknown: int = 0
    without: int = 0
    """Of the stale ones: pods without a sidecar."""
    error: str = ""
    """Of one that rejected; the first by text, so that it stays the same."""


def is_current(heartbeat: Heartbeat, published: Published) -> bool:
    """Whether the sidecar runs what is published, whichever version of it it reads."""
    configs = (published.config, published.older)
    credentials = (published.credentials, published.older_credentials)
    return heartbeat.config in configs and heartbeat.credentials in credentials


def standing(pod: SeenPod, published: Published, heard: Heard) -> Standing:
    """A pod without a sidecar is stale whether Redis answers or not."""
    if pod.missed_by is not None:
        return "stale"
    if pod.uid not in heard:
        return "unknown"
    heartbeat = heard[pod.uid]
    if heartbeat is None:
        return "stale"
    if heartbeat.error:
        return "rejected"
    return "current" if is_current(heartbeat, published) else "stale"


def counts_by_policy(
    policies: Sequence[Policy], pods: Iterable[SeenPod], published: Published, heard: Heard
) -> dict[str, Counts]:
    """`policies` are one namespace's, best first, as sidecars go by them; `pods` its pods."""
    of_policy: dict[str, list[SeenPod]] = {policy.id: [] for policy in policies}
    rule = _Ruler(policies)
    for pod in pods:
        if not pod.leaving and (id_ := rule.of(pod)) is not None:
            of_policy[id_].append(pod)
    return {id_: _counts(found, published, heard) for id_, found in of_policy.items()}


def _counts(pods: Sequence[SeenPod], published: Published, heard: Heard) -> Counts:
    found = Counter(standing(pod, published, heard) for pod in pods)
    errors = (beat.error for pod in pods if (beat := heard.get(pod.uid)) and beat.error)
    return Counts(
        total=len(pods),
        current=found["current"],
        stale=found["stale"],
        rejected=found["rejected"],
        unknown=found["unknown"],
        without=sum(pod.missed_by is not None for pod in pods),
        error=min(errors, default=""),
    )


class _Ruler:
    """Which policy rules a pod. Thousands of pods are few kinds of them: each is judged once."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policies = policies
        self._keys = frozenset(key for policy in policies for key in keys_of(policy.selector))
        self._judged: dict[frozenset[tuple[str, str]], str | None] = {}

    def of(self, pod: SeenPod) -> str | None:
        kind = frozenset(item for item in pod.labels.items() if item[0] in self._keys)
        if kind not in self._judged:
            labels = dict(kind)
            claims = (each.id for each in self._policies if selects(each.selector, labels))
            self._judged[kind] = next(claims, None)
        return self._judged[kind]
