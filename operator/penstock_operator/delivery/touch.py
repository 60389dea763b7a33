"""Which pods to touch so that their kubelets refresh the volumes at once. Pure.

Level-based: what pods are marked with is compared with what is published, so that it does not
matter who wrote, when, or whether the pod was there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from penstock_config.codec import digest
from penstock_operator.delivery.pods import SeenPod
from penstock_operator.plan import Published

RETRY_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)


def mark_of(published: Published | None) -> str | None:
    """The mark of pods that were told of both files; `None` while one of these is not right."""
    if published is None or not published.config or not published.credentials:
        return None
    return digest(f"{published.config} {published.credentials}".encode())


def untold(pods: Iterable[SeenPod], published: Mapping[str, Published]) -> Iterator[SeenPod]:
    """Pods with a sidecar that bear another mark than their namespace's."""
    marks = {namespace: mark_of(found) for namespace, found in published.items()}
    for pod in pods:
        mark = marks.get(pod.namespace)
        if mark and pod.mark != mark and not pod.leaving and pod.missed_by is None:
            yield pod


def in_turn(pods: Iterable[SeenPod], most: int) -> list[SeenPod]:
    """The first `most`, one of each namespace in turn: a large one keeps no other waiting."""
    waiting: dict[str, list[SeenPod]] = {}
    for pod in pods:
        waiting.setdefault(pod.namespace, []).append(pod)
    found: list[SeenPod] = []
    while waiting and len(found) < most:
        for namespace in list(waiting):
            found.append(waiting[namespace].pop())
            if not waiting[namespace]:
                del waiting[namespace]
    return found[:most]


class Patience:
    """Whom not to try again yet, after failures: each time later. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: dict[str, tuple[int, float]] = {}
        """By UID: failures in a row, and when to try again."""

    def is_due(self, pod: SeenPod) -> bool:
        return pod.uid not in self._failed or self._failed[pod.uid][1] <= self._clock()

    def failed(self, pod: SeenPod) -> None:
        times = self._failed.get(pod.uid, (0, 0.0))[0]
        pause = RETRY_SECONDS[min(times, len(RETRY_SECONDS) - 1)]
        self._failed[pod.uid] = (times + 1, self._clock() + pause)

    def succeeded(self, pod: SeenPod) -> None:
        self._failed.pop(pod.uid, None)

    def seconds(self, pods: Iterable[SeenPod]) -> float | None:
        """Until the first of them is due; others are forgotten. `None` without any."""
        self._failed = {pod.uid: self._failed[pod.uid] for pod in pods if pod.uid in self._failed}
        times = [at for _, at in self._failed.values()]
        return max(0.0, min(times) - self._clock()) if times else None
