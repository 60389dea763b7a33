"""How long an API server takes to answer, by its own histogram."""

import ssl
from collections import Counter
from pathlib import Path
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from penstock_operator.cluster.connection import access

DURATIONS: Final = "apiserver_request_duration_seconds"
LONG: Final = frozenset({"WATCH", "CONNECT"})
"""Verbs of requests that last as long as the caller likes."""
Buckets = Counter[float]
"""Upper bound in seconds to how many requests took at most that."""


async def durations(kubeconfig: Path) -> Buckets:
    """Of all requests so far, watches apart."""
    found = await access(kubeconfig)
    tls = ssl.create_default_context(cafile=found.ca_path)
    headers = {"Authorization": found.authorization or ""}
    async with (
        aiohttp.ClientSession(headers=headers) as client,
        client.get(f"{found.server}/metrics", ssl=tls) as answer,
    ):
        answer.raise_for_status()
        return buckets(await answer.text())


def buckets(exposition: str) -> Buckets:
    """Out of the text that the API server shows to Prometheus."""
    lines = [line for line in exposition.splitlines() if DURATIONS in line]
    found: Buckets = Counter()
    for family in text_string_to_metric_families("\n".join(lines)):
        for sample in family.samples:
            if sample.name == f"{DURATIONS}_bucket" and sample.labels["verb"] not in LONG:
                found[float(sample.labels["le"])] += round(sample.value)
    return found


def quantile(before: Buckets, after: Buckets, share: float) -> float:
    """The least bound, in seconds, that so many of the requests between the two kept to."""
    counts = {bound: after[bound] - before[bound] for bound in after}
    total = counts[float("inf")]
    if not total:
        msg = "no requests were made in between"
        raise ValueError(msg)
    return min(bound for bound, count in counts.items() if count >= share * total)
