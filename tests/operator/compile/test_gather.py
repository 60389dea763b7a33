"""YAML documents become the snapshot that the operator would gather from its watches."""

import base64
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.compile.gather import MAX_REPLICAS, snapshot_of
from penstock_operator.compile.snapshot import PodLabels, Snapshot
from tests.operator.compile.documents import document
from tests.operator.compile.steady import steady


def gathered(*documents: Mapping[str, Any]) -> Snapshot:
    return snapshot_of(documents, cluster="c", loopback_allowed=True, redis=None, scope_keys={})


def core(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": "llm"}, **fields}


def workload(kind: str, replicas: object) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "shop"}}}
    return core(kind, "shop", spec={"replicas": replicas, "template": template})


def test_resources_are_sorted_by_kind() -> None:
    found = gathered(*(document(kind, "x") for kind in ("Budget", "ModelTier", "RoutePolicy")))
    assert [b.id for b in found.budgets] == ["llm/x"]
    assert [t.id for t in found.tiers] == ["llm/x"]
    assert [p.id for p in found.policies] == ["llm/x"]
    assert found.providers == ()


def test_a_secret_is_decoded_and_string_data_wins() -> None:
    data = {"a": base64.b64encode(b"one").decode(), "c": "eA=="}
    found = gathered(core("Secret", "keys", data=data, stringData={"c": "plain"}))
    assert found.secrets["llm", "keys"].values == {"a": b"one", "c": b"plain"}


def test_what_of_a_secret_cannot_be_read_is_there_but_empty() -> None:
    found = gathered(core("Secret", "keys", data={"a": "not base64!"}, stringData={"b": 7}))
    assert found.secrets["llm", "keys"].values == {"a": b"", "b": b""}


def test_every_namespace_that_occurs_has_the_label_of_its_name() -> None:
    labelled = {"kind": "Namespace", "metadata": {"name": "shop", "labels": {"tenant": "gold"}}}
    found = gathered(labelled, document("Budget", "x", "blog"))
    assert found.namespaces["shop"] == {"kubernetes.io/metadata.name": "shop", "tenant": "gold"}
    assert found.namespaces["blog"] == {"kubernetes.io/metadata.name": "blog"}


def test_pods_and_the_pods_that_workloads_ask_for_are_counted() -> None:
    pod = {"kind": "Pod", "metadata": {"name": "one", "namespace": "llm", "labels": {"a": "b"}}}
    assert gathered(pod).pods == (PodLabels("llm", "one", {"a": "b"}),)
    assert [p.name for p in gathered(workload("Deployment", 2)).pods] == ["shop-0", "shop-1"]
    assert gathered(workload("Job", None)).pods == (PodLabels("llm", "shop-0", {"app": "shop"}),)


def test_a_number_from_a_file_does_not_fill_the_memory() -> None:
    assert len(gathered(workload("Deployment", 10**12)).pods) == MAX_REPLICAS
    assert gathered(workload("Deployment", -1)).pods == ()


def test_what_does_not_parse_is_collected() -> None:
    found = gathered(document("Budget", "x", limits={"daily": 5}), core("RoutePolicies", "x"))
    assert [str(problem.object) for problem in found.unparsable] == ["Budget llm/x"]


def test_of_two_documents_for_one_object_the_last_counts_and_a_warning_says_so() -> None:
    first, last = document("Budget", "x"), document("Budget", "x", limits={"daily": "9"})
    found = gathered(first, last)
    assert [b.spec.limits.daily for b in found.budgets if b.spec.limits] == ["9"]
    assert [problem.severity for problem in found.unparsable] == ["warning"]


def test_a_list_is_what_is_in_it() -> None:
    inner = {"kind": "BudgetList", "items": [document("Budget", "x"), "nonsense"]}
    assert [b.id for b in gathered({"kind": "List", "items": [inner]}).budgets] == ["llm/x"]


SCALARS = st.none() | st.integers() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
NAMES = st.sampled_from(["kind", "metadata", "spec", "data", "stringData", "items"])
KINDS = st.sampled_from(["Secret", "Namespace", "Pod", "Deployment", "List", "Budget"])


@steady
@given(body=st.dictionaries(NAMES, VALUES), kind=KINDS)
def test_nothing_is_raised_by_any_document(body: dict[str, Any], kind: str) -> None:
    gathered(body | {"kind": kind})
