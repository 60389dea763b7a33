"""A document is a resource, or a problem that says what to change and quotes no value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.compile.parse import API_VERSION, KINDS, parse_resource
from penstock_operator.compile.problem import ObjectRef, Problem
from tests.operator.compile.documents import document
from tests.operator.compile.steady import steady


def refused(body: dict[str, Any]) -> Problem:
    found = parse_resource(body)
    assert isinstance(found, Problem)
    assert (found.condition, found.reason, found.severity) == ("Accepted", "InvalidSpec", "error")
    return found


def test_what_the_api_server_adds_is_ignored() -> None:
    body = document("LLMProvider", "own")
    body["metadata"] |= {
        "uid": "1",
        "generation": 3,
        "resourceVersion": "7",
        "managedFields": [{"manager": "kubectl"}],
        "annotations": {"a": "b"},
        "creationTimestamp": "2026-11-21T08:00:00Z",
    }
    found = parse_resource(body | {"status": {"conditions": [{"whatever": True}]}})
    assert isinstance(found, LLMProvider)
    assert found.metadata.generation == 3


def test_a_null_in_metadata_is_as_if_absent() -> None:
    body = document("LLMProvider", "own")
    body["metadata"] |= {"creationTimestamp": None, "labels": None}
    assert isinstance(parse_resource(body), LLMProvider)


def test_a_problem_names_the_object_the_path_and_the_remedy() -> None:
    problem = refused(document("LLMProvider", "own", models=[{"name": "m", "colour": "red"}]))
    assert problem.object == ObjectRef("LLMProvider", "llm", "own")
    assert problem.text == (
        "spec.models[0].colour: is no field here: remove it, or correct its name"
    )


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"baseUrl": "http://x"}, "spec.baseUrl: is no field here: baseURL is"),
        ({"limits": {"requestPerMinute": 1}}, "here: requestsPerMinute is"),
        (
            {"models": [{"name": "m", "prices": {}}]},
            "[0].prices: is no field here: price is",
        ),
        ({"limits": {"requestsPerMinute": "5"}}, "must be a whole number, without quotes"),
        ({"limits": {"requestsPerMinute": 0}}, "must be 1 or more"),
        ({"suspended": "true"}, "must be true or false, without quotes"),
        ({"baseURL": "example.com/v1"}, "must be an address such as https://"),
        ({"proxyURL": "socks5://proxy:1080"}, "such as http://proxy.example.com:3128, http or"),
        ({"proxyURL": "http://me:pw@proxy:1"}, "into the Secret that proxySecretRef names"),
        (
            {"models": [{"name": "m", "price": {"inputPerMillion": "$2"}}]},
            "must be US dollars",
        ),
        ({"models": [{"name": 4.1}]}, "spec.models[0].name: must be text: put it in quotes"),
        ({"models": [{"name": "\ud800"}]}, "holds what JSON cannot"),
    ],
)
def test_a_slip_is_answered_with_what_to_write(spec: dict[str, Any], text: str) -> None:
    assert text in refused(document("LLMProvider", "own", **spec)).text


def test_a_field_is_known_by_its_outside_name_alone() -> None:
    assert "spec.base_url" in refused(document("LLMProvider", "own", base_url="http://x")).text


def test_no_value_of_the_document_is_repeated() -> None:
    secret = "sk-live-1234"
    for spec in (
        {"baseURL": secret},
        {"credentials": {"secretRefs": [{"name": secret + "_", "key": "k"}]}},
        {"credentials": secret},
        {"headers": [{"name": "x", "value": f"{secret}\n"}]},
        {"onUnknownPrice": secret},
        {"timeouts": {"connectSeconds": secret}},
    ):
        assert secret not in refused(document("LLMProvider", "own", **spec)).text


def test_many_faults_are_cut_and_counted() -> None:
    body = document("LLMProvider", "own")
    body["spec"] |= {f"x{number}": 1 for number in range(9)}
    text = refused(body).text
    assert text.endswith("; and 4 more")


@pytest.mark.parametrize("name", ["Upper", "a/b", "-a", "a" * 254, ""])
def test_a_name_that_the_api_server_would_refuse_is_refused(name: str) -> None:
    refused(document("Budget", name))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "Budget"},
        {"kind": "Budget", "apiVersion": "penstock.dev/v2", "spec": {}},
        {"kind": "Budgett", "apiVersion": API_VERSION},
        {"kind": ["Budget"], "apiVersion": API_VERSION},
        {"kind": "Budget", "apiVersion": API_VERSION, "metadata": 5},
        {"kind": "Budget", "apiVersion": API_VERSION, "metadata": {"name": 5}, "spec": None},
    ],
)
def test_any_nonsense_is_a_problem(body: dict[str, Any]) -> None:
    refused(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@steady
@given(kind=st.sampled_from(sorted(KINDS)), metadata=JSON, spec=JSON)
def test_nothing_is_raised_by_any_document(kind: str, metadata: object, spec: object) -> None:
    body = {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
    parse_resource(body)
