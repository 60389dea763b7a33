"""Names, labels and selectors of what runs a provider."""

import re
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.ollama.planner.types import Need
from penstock_operator.ollama.workload.names import is_ours, unusable_name
from tests.operator.ollama.workload.plans import Planned, group_of, provider_of, read

LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
dns_labels: Final = st.from_regex(r"[a-z]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)


def planned(name: str, groups: list[str], *, storage: bool) -> Planned:
    ollama: dict[str, Any] = {"models": [{"name": "m"}]}
    if storage:
        ollama["storage"] = {"size": "1Gi"}
    provider = provider_of(
        {
            "apiVersion": "penstock.dev/v1alpha1",
            "kind": "LLMProvider",
            "metadata": {"name": name, "namespace": "ns", "uid": f"uid-{name}"},
            "spec": {"type": "ollama", "models": [{"name": "m"}], "ollama": ollama},
        }
    )
    said = [
        {"name": each, "node": "n", "models": ["m"], "replicas": 1, "resources": {}}
        for each in groups
    ]
    made = tuple(group_of(provider.id, each) for each in said)
    return Planned(provider, made, {"m": Need("m", 1, 1, 1)})


@given(
    name=dns_labels, suffixes=st.lists(dns_labels, unique=True, max_size=3), storage=st.booleans()
)
def test_names_and_labels_are_valid_and_selectors_match(
    name: str, suffixes: list[str], storage: bool
) -> None:
    found = planned(name, [f"{name}-{each}" for each in suffixes], storage=storage)
    seen = set()
    for document in found.objects:
        meta = document["metadata"]
        assert LABEL.fullmatch(meta["name"])
        assert all(VALUE.fullmatch(value) for value in meta["labels"].values())
        seen.add((document["kind"], meta["name"]))
        if document["kind"] == "Deployment":
            selector = document["spec"]["selector"]["matchLabels"]
            assert selector.items() <= document["spec"]["template"]["metadata"]["labels"].items()
            assert set(selector) == {"penstock.dev/provider", "penstock.dev/placement-group"}
    assert len(seen) == len(found.objects)


@given(st.lists(dns_labels, min_size=2, max_size=4, unique=True), st.data())
def test_two_providers_of_a_namespace_share_no_name(names: list[str], data: st.DataObject) -> None:
    """Groups have names of their own, which the planner makes: here by a digest of four letters."""
    digests = st.text("0123456789abcdef", min_size=4, max_size=4)
    all_groups = [(name, f"{name}-{data.draw(digests)}") for name in names for _ in range(2)]
    if len({group for _, group in all_groups}) < len(all_groups):
        return
    found = [
        (each["kind"], each["metadata"]["name"])
        for name in names
        for each in planned(
            name, [group for owner, group in all_groups if owner == name], storage=True
        ).objects
    ]
    assert len(found) == len(set(found))


def test_one_provider_s_service_finds_no_other_one_s_pods() -> None:
    first, second = planned("a", ["a-b-1"], storage=False), planned("a-b", ["a-b-2"], storage=False)
    (service,) = (each for each in first.objects if each["kind"] == "Service")
    (other,) = (each for each in second.objects if each["kind"] == "Deployment")
    labels = other["spec"]["template"]["metadata"]["labels"]
    assert not service["spec"]["selector"].items() <= labels.items()


@pytest.mark.parametrize("name", ["a.b", "3b-models", "a" * 64, "a.b.c"])
def test_a_name_that_no_service_can_have_is_said(name: str) -> None:
    found = unusable_name(planned(name, [], storage=False).provider)
    assert found is not None
    assert "Service" in found


@pytest.mark.parametrize("name", ["a", "a-b", "a" * 63, "llama3"])
def test_a_usable_name_is_fine(name: str) -> None:
    assert unusable_name(planned(name, [], storage=False).provider) is None


def test_what_somebody_else_made_is_not_ours() -> None:
    provider = read("one-gpu").provider
    uid = provider.metadata.uid
    for owners, ours in (
        ([{"uid": uid, "controller": True}], True),
        ([{"uid": uid}], False),
        ([{"uid": "other", "controller": True}], False),
        ([], False),
        (None, False),
    ):
        assert is_ours(provider, {"metadata": {"ownerReferences": owners}}) is ours
    assert is_ours(provider, {}) is False


def test_what_we_make_is_ours() -> None:
    found = read("everything")
    assert all(is_ours(found.provider, each) for each in found.objects)
