"""Which tests run in one process, where several run them (`pytest --numprocesses`)."""

from typing import Final

from xdist.scheduler import LoadFileScheduling

ONE_CLUSTER: Final = ("tests/chart/", "tests/cluster/")
"""Operators there see one another's namespaces, and would do each other's work."""


class OneCluster(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """By file, but one process runs all the tests that share a cluster."""

    def _split_scope(self, nodeid: str) -> str:
        return "cluster" if nodeid.startswith(ONE_CLUSTER) else super()._split_scope(nodeid)
