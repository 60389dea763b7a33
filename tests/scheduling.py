"""Which tests run in one process, where several run them (`pytest --numprocesses`)."""

from typing import Final

from xdist.scheduler import LoadFileScheduling

CLUSTER: Final = "tests/cluster/"
"""Operators there see one another's namespaces, and would do each other's work."""
OWN_PLANE: Final = tuple(
    f"{CLUSTER}test_{name}.py"
    for name in (
        "injection",
        "leaders",
        "lifecycle",
        "outages",
        "placement",
        "scale",
        "sidecar_status",
        "touch",
    )
)
"""Except where a file starts an API server of its own."""
CHART: Final = "tests/chart/"
"""Of the chart there is one release in its API server."""


class OneCluster(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """By file, but one process runs all the tests that share a cluster."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith((CHART, CLUSTER)) and not nodeid.startswith(OWN_PLANE):
            return CHART if nodeid.startswith(CHART) else CLUSTER
        file: str = super()._split_scope(nodeid)
        return file
