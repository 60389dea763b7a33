"""Every server behind a Redis URL, one by one: for what Redis does not replicate.

redis, unix       the server itself
redis+sentinel    the master, and the replicas that the Sentinels reach
redis+cluster     all that serve slots, their replicas, and masters that have no slots yet
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.sentinel import SentinelConnectionPool

from penstock_operator.ledger.address import client_of, client_of_node, close
from penstock_operator.ledger.store import translated
from penstock_operator.settings import Settings

Place = tuple[str, int]
GONE: Final = frozenset({"fail", "noaddr", "handshake"})
"""Flags of nodes that nobody can speak to."""


@asynccontextmanager
async def opened_nodes(settings: Settings) -> AsyncIterator[dict[str, Redis]]:
    """Clients of single servers, by where they are; `LedgerAway` where nobody can name them."""
    client = client_of(settings)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(close, client)
        if isinstance(client, RedisCluster):
            with translated():
                places = await _of_cluster(client)
        elif isinstance(pool := client.connection_pool, SentinelConnectionPool):
            with translated():
                places = await _of_sentinels(pool)
        else:
            yield {"redis": client}
            return
        found = {}
        for host, port in sorted(places):
            node = client_of_node(settings, host, port)
            stack.push_async_callback(node.aclose)
            found[f"{host}:{port}"] = node
        yield found


async def _of_sentinels(pool: SentinelConnectionPool) -> set[Place]:
    sentinels: Any = pool.sentinel_manager
    master = await sentinels.discover_master(pool.service_name)
    return {master, *await sentinels.discover_slaves(pool.service_name)}


async def _of_cluster(client: RedisCluster) -> set[Place]:
    """Every node that can be spoken to, by its name where slots are served under names."""
    await client.initialize()
    hosts = {node.host for node in client.get_nodes()}
    answer: Any = await client.cluster_nodes()
    nodes = {
        address: node for address, node in answer.items() if not GONE & {*node["flags"].split(",")}
    }
    by_name = any(node["hostname"] in hosts for node in nodes.values())
    places = set()
    for address, node in nodes.items():
        host, _, port = address.rpartition(":")
        places.add(((node["hostname"] if by_name else "") or host, int(port)))
    return places
