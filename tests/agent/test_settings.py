"""Variables that are missing or wrong are named, with what is expected."""

from pathlib import Path

import pytest

from penstock_agent.settings import Settings
from penstock_operator.environment import SettingsError

NODE = {"PENSTOCK_NODE_NAME": "ip-10-0-0-1.eu-west-1.compute.internal"}


def test_the_node_alone_suffices() -> None:
    read = Settings.from_environment(NODE)
    assert read == Settings(node_name="ip-10-0-0-1.eu-west-1.compute.internal")
    assert (read.period_seconds, read.hang_seconds, read.probe_port) == (5, 60, 8080)


def test_all_of_them_are_read() -> None:
    read = Settings.from_environment(
        NODE
        | {
            "PENSTOCK_NAMESPACE": "gpus",
            "PENSTOCK_POD_NAME": "agent-x",
            "PENSTOCK_POD_UID": "1-2",
            "PENSTOCK_KUBECONFIG": "/k",
            "PENSTOCK_PERIOD_SECONDS": "2.5",
            "PENSTOCK_HANG_SECONDS": "90",
            "PENSTOCK_PROBE_HOST": "127.0.0.1",
            "PENSTOCK_PROBE_PORT": "0",
            "PENSTOCK_LOG_LEVEL": "debug",
        }
    )
    assert read == Settings(
        node_name=NODE["PENSTOCK_NODE_NAME"],
        namespace="gpus",
        pod_name="agent-x",
        pod_uid="1-2",
        kubeconfig=Path("/k"),
        period_seconds=2.5,
        hang_seconds=90,
        probe_host="127.0.0.1",
        probe_port=0,
        log_level="debug",
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PENSTOCK_NODE_NAME", "", "is not set: expected the node"),
        ("PENSTOCK_NODE_NAME", "Two Words", "expected the name of a node"),
        ("PENSTOCK_NODE_NAME", "n" * 254, "expected the name of a node"),
        ("PENSTOCK_PERIOD_SECONDS", "0", "more than 0 and at most 30"),
        ("PENSTOCK_PERIOD_SECONDS", "31", "more than 0 and at most 30"),
        ("PENSTOCK_PERIOD_SECONDS", "nan", "more than 0"),
        ("PENSTOCK_HANG_SECONDS", "soon", "more than 0 and at most 3600"),
        ("PENSTOCK_PROBE_PORT", "65536", "expected a port"),
        ("PENSTOCK_LOG_LEVEL", "loud", "expected one of debug, info"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}.*{said}"):
        Settings.from_environment(NODE | {name: value})
