"""The only package that talks to the API server. What it raises is a `ClusterError`.

errors <- client <- connection | leases | events | published | statuses | secrets
"""

from penstock_operator.cluster.client import Cluster
from penstock_operator.cluster.connection import connect
from penstock_operator.cluster.errors import (
    ClusterError,
    ClusterUnreachable,
    Conflict,
    Fenced,
    Forbidden,
    NotFound,
    Refused,
)

__all__ = [
    "Cluster",
    "ClusterError",
    "ClusterUnreachable",
    "Conflict",
    "Fenced",
    "Forbidden",
    "NotFound",
    "Refused",
    "connect",
]
