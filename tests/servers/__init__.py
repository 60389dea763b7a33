"""Real Redis servers for tests: single ones, a Sentinel pair, a Cluster.

Each is a context manager over real processes on free ports of 127.0.0.1; leaving it kills them.
Start them in a thread (`await asyncio.to_thread(...)`) or in a fixture where a loop must go on.

    with single(any_server(), tmp_path, aof=True) as server:
        server.url, server.client(), server.freeze(), server.thaw(), server.kill(), server.start()
    with sentinel_pair(any_server(), tmp_path) as pair:
        pair.url, pair.master(), pair.replica(), pair.failover(), pair.wait_for_switch(old)
        stop_replication(pair.master(), pair.replica())  # and then a tail that a failover loses
    with cluster(any_server(), tmp_path, replicas=1) as three:
        three.url, three.owner(slot), three.migrate_slot(slot, "half"), three.fail_over(slot)
"""

from tests.servers.binaries import any_server, redis_servers
from tests.servers.certificates import Certificates, certificates
from tests.servers.cluster import Cluster, cluster
from tests.servers.sentinel import SentinelPair, sentinel_pair
from tests.servers.server import Server, eventually, single, stop_replication

__all__ = [
    "Certificates",
    "Cluster",
    "SentinelPair",
    "Server",
    "any_server",
    "certificates",
    "cluster",
    "eventually",
    "redis_servers",
    "sentinel_pair",
    "single",
    "stop_replication",
]
