"""The workload that a pod belongs to, by what the pod itself says: `PENSTOCK_APP`."""

import re
from typing import Final

from penstock_operator.injection.pod import Controller, Pod

HASH_LABELS: Final = ("pod-template-hash", "rollouts-pod-template-hash")
"""What Deployments, and Argo's Rollouts, append to the names of their ReplicaSets."""
SCHEDULED: Final = re.compile(r"(.+)-(\d{8}|\d{10})")
"""A CronJob's Job: minutes since 1970 (Kubernetes 1.21 and newer) or seconds."""
FIRST_SCHEDULE_SECONDS: Final = 1_577_836_800
"""2020: what means an earlier time is no schedule, but a date such as 20240101."""
LAST_SCHEDULE_SECONDS: Final = 4_102_444_800


def workload_of(pod: Pod) -> str:
    """The name of the Deployment, CronJob, StatefulSet, ...; a bare pod's own."""
    match pod.controller:
        case None:
            return pod.generate_name.rstrip("-") or pod.name
        case Controller("ReplicaSet", name):
            return _without_hash(name, pod)
        case Controller("Job", name):
            return _without_schedule(name)
        case Controller(_, name):
            return name


def _without_hash(name: str, pod: Pod) -> str:
    for label in HASH_LABELS:
        suffix = f"-{pod.labels.get(label, '')}"
        if suffix != "-" and name.endswith(suffix) and name != suffix:
            return name.removesuffix(suffix)
    return name


def _without_schedule(name: str) -> str:
    found = SCHEDULED.fullmatch(name)
    if found is None:
        return name
    cron_job, number = found.groups()
    seconds = int(number) * (60 if len(number) == len("12345678") else 1)
    return cron_job if FIRST_SCHEDULE_SECONDS <= seconds < LAST_SCHEDULE_SECONDS else name
