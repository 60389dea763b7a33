"""Values of other people's ConfigMaps, one by one."""

from collections.abc import Mapping

from penstock_operator.cluster.client import CONFIG_MAPS, Cluster
from penstock_operator.cluster.errors import NotFound


async def config_map_values(
    cluster: Cluster, namespace: str, name: str
) -> Mapping[str, str] | None:
    """Its texts by key; `None` when there is no such ConfigMap."""
    try:
        document = await cluster.get(CONFIG_MAPS, name, namespace)
    except NotFound:
        return None
    return document.get("data") or {}
