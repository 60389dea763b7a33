"""Parsing says what the API server says: the cases of `tests/cluster/cel/`, without a server."""

from typing import Final

import pytest

from penstock_operator.api.address import is_local
from penstock_operator.api.base import Kind
from penstock_operator.api.llm_provider import LLMProviderSpec
from penstock_operator.compile.parse import parse_resource
from penstock_operator.compile.problem import Problem
from penstock_operator.crd import KINDS
from tests.cluster.cel_cases import URLS, Case, cases, nodes, schema, set_paths

OF_THE_SERVER: Final = frozenset(
    rule.message for rule in LLMProviderSpec.invariants if rule.holds is None
)
"""Messages of rules that parsing does not know: about changes, and about where providers may be."""


@pytest.mark.parametrize("case", [case for case in cases() if case.updated is None], ids=str)
def test_parsing_accepts_and_refuses(case: Case) -> None:
    found = parse_resource(case.document(case.spec))
    if case.refused is None or case.message in OF_THE_SERVER:
        assert not isinstance(found, Problem), found.message
        return
    assert isinstance(found, Problem)
    if case.message:
        assert f"{case.path}: {case.message}" in found.message.split("; ")
    else:
        assert found.message.startswith(case.path)


@pytest.mark.parametrize("case", [case for case in cases() if case.updated], ids=str)
def test_both_sides_of_a_change_parse(case: Case) -> None:
    assert case.updated
    for spec in (case.spec, case.updated):
        assert not isinstance(parse_resource(case.document(spec)), Problem)


@pytest.mark.parametrize("url", URLS["local"])
def test_a_local_address_is_recognised(url: str) -> None:
    assert is_local(url)


@pytest.mark.parametrize("url", URLS["accepted"])
def test_other_addresses_are_not_local(url: str) -> None:
    assert not is_local(url)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_field_is_in_an_accepted_case(kind: type[Kind]) -> None:
    tried = {
        path
        for case in cases()
        if case.kind is kind and case.refused is None
        for path in set_paths(case.spec, "spec")
    }
    fields = {path for path, _ in nodes(schema(kind)) if path.startswith("spec")}
    assert fields - tried == set()
