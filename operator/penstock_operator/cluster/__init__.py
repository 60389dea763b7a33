"""The only package that talks to the API server. What it raises is a `ClusterError`.

errors <- connection <- client <- leases | events | published | namespaces
"""

from penstock_operator.cluster.client import Cluster
from penstock_operator.cluster.connection import connect
from penstock_operator.cluster.errors import (
    ClusterError,
    ClusterUnreachable,
    Conflict,
    Forbidden,
    NotFound,
    Refused,
)

__all__ = [
    "Cluster",
    "ClusterError",
    "ClusterUnreachable",
    "Conflict",
    "Forbidden",
    "NotFound",
    "Refused",
    "connect",
]
