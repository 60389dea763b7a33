"""The ConfigMap: its name, labels, owner, and a document that the operator reads."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_agent.inventory import Owner, config_map
from penstock_operator.ollama.gpus import MAX_BYTES, GpuProcess, decode_gpus, encode_gpus
from penstock_operator.ollama.names import gpu_inventory_name
from tests.agent.readings import card, reading, slice_of

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
"""RFC 1123, as the API server asks of a ConfigMap's name."""
labels = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
nodes = st.lists(labels, min_size=1, max_size=8).map(".".join).filter(lambda n: len(n) <= 253)


def test_the_document_is_what_the_operator_reads() -> None:
    found = reading(card(used_mib=7), card(1, mig_enabled=True, mig=(slice_of(),)))
    made = config_map(found, "penstock-system")
    assert made["metadata"]["name"] == "penstock-gpus-gpu-1"
    assert made["metadata"]["namespace"] == "penstock-system"
    assert made["metadata"]["labels"]["penstock.dev/gpu-inventory"] == "true"
    assert "ownerReferences" not in made["metadata"]
    assert decode_gpus(made["data"]["gpus.json"]) == found


def test_it_goes_with_the_pod_that_wrote_it() -> None:
    (owner,) = config_map(reading(), "n", Owner("agent-x", "1-2"))["metadata"]["ownerReferences"]
    assert owner == {"apiVersion": "v1", "kind": "Pod", "name": "agent-x", "uid": "1-2"}


@given(nodes)
def test_every_node_has_a_valid_name(node: str) -> None:
    name = gpu_inventory_name(node)
    assert len(name) <= 253
    assert SUBDOMAIN.fullmatch(name)
    assert name.startswith(f"penstock-gpus-{node[:231]}")


@pytest.mark.parametrize("end", ["a", ".", "-", "0"])
def test_a_name_that_is_too_long_is_cut_anywhere(end: str) -> None:
    beginning = ".".join("a" * 57 for _ in range(4))[:230] + end
    first, second = (gpu_inventory_name(f"{beginning}b{last}{'c' * 20}") for last in "xy")
    assert first != second
    for name in (first, second):
        assert len(name) == 253
        assert SUBDOMAIN.fullmatch(name)


def test_the_largest_node_stays_small() -> None:
    """16 GPUs of 7 instances and 16 processes."""
    slices = tuple(slice_of(n, uuid=f"MIG-{n:036d}", used_mib=4_000) for n in range(7))
    holders = tuple(GpuProcess(pid=10**6 + n, name="p" * 64, used_mib=20_000) for n in range(16))
    gpus = (card(n, uuid=f"GPU-{n:036d}", mig=slices, processes=holders) for n in range(16))
    assert len(encode_gpus(reading(*gpus))) < MAX_BYTES / 4
