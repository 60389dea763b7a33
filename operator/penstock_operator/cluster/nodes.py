"""Whether the cluster knows native sidecars (KEP-753): its server, and every node's kubelet."""

import contextlib
import re
from typing import Final

from penstock_operator.cluster.client import NODES, Cluster, Document

FIRST_WITH_NATIVE_SIDECARS: Final = (1, 29)
"""On by default since then. Older servers drop an init container's `restartPolicy`, and then the
pod would wait for its sidecar to end."""


async def knows_native_sidecars(cluster: Cluster) -> bool:
    """Also false while there is no node, and for a kubelet that does not say its version."""
    if await cluster.version() < FIRST_WITH_NATIVE_SIDECARS:
        return False
    seen = False
    async with contextlib.aclosing(cluster.pages(NODES)) as pages:
        async for page in pages:
            if not all(map(_is_new, page)):
                return False
            seen = seen or bool(page)
    return seen


def _is_new(node: Document) -> bool:
    version = node.get("status", {}).get("nodeInfo", {}).get("kubeletVersion")
    return release_of(version or "") >= FIRST_WITH_NATIVE_SIDECARS


def release_of(version: str) -> tuple[int, int]:
    """Major and minor of `v1.29.3-gke.1`; (0, 0) for what is no version."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)
