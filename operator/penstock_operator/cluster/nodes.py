"""Whether the cluster knows native sidecars (KEP-753): its server, and every node's kubelet."""

import re
from typing import Final

from penstock_operator.cluster.client import NODES, Cluster

FIRST_WITH_NATIVE_SIDECARS: Final = (1, 29)
"""On by default since then. Older servers drop an init container's `restartPolicy`, and then the
pod would wait for its sidecar to end."""


async def knows_native_sidecars(cluster: Cluster) -> bool:
    """Also false while there is no node, and for a kubelet that does not say its version."""
    if await cluster.version() < FIRST_WITH_NATIVE_SIDECARS:
        return False
    nodes = await cluster.list(NODES)
    versions = [node.get("status", {}).get("nodeInfo", {}).get("kubeletVersion") for node in nodes]
    return bool(versions) and all(
        release_of(version or "") >= FIRST_WITH_NATIVE_SIDECARS for version in versions
    )


def release_of(version: str) -> tuple[int, int]:
    """Major and minor of `v1.29.3-gke.1`; (0, 0) for what is no version."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)
