"""Sidecars' heartbeats out of Redis: one reply for many pods of a namespace."""

from collections.abc import Mapping, Sequence
from typing import Final

from penstock_config.heartbeat import Heartbeat, decode_heartbeat
from penstock_config.layout import Group
from penstock_operator.ledger.store import Command, Store

PODS_AT_ONCE: Final = 128
"""Keys of one command: Redis serves nobody else meanwhile."""


async def read_heartbeats(
    store: Store, cluster: str, pods: Mapping[str, Sequence[str]]
) -> dict[str, Heartbeat | None]:
    """By UID, of pods given by namespace. One that is missing could not be asked for."""
    batches = [
        (namespace, uids[start : start + PODS_AT_ONCE])
        for namespace, uids in sorted(pods.items())
        for start in range(0, len(uids), PODS_AT_ONCE)
    ]
    replies = await store.ask([_command(cluster, *batch) for batch in batches])
    found: dict[str, Heartbeat | None] = {}
    for (_, uids), reply in zip(batches, replies, strict=True):
        for uid, data in zip(uids, reply or (), strict=reply is not None):
            found[uid] = None if data is None else decode_heartbeat(data)
    return found


def _command(cluster: str, namespace: str, uids: Sequence[str]) -> Command:
    group = Group.of_namespace(cluster, namespace)
    return ("MGET", *(group.pod(uid) for uid in uids))
