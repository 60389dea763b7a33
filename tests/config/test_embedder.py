"""What sidecars and the embedder say to each other."""

import pytest
from pydantic import ValidationError

from penstock_config.cache_layout import Shelves
from penstock_config.embedder import (
    NearestRequest,
    RemoveRequest,
    SimilarRequest,
    VectorRequest,
    namespace_token,
)

SHELF = Shelves.of("main", "team-a", "chat", "0a").prefix


def test_a_token_is_one_namespaces_of_one_installation() -> None:
    tokens = {
        namespace_token("secret", "main", "team-a"),
        namespace_token("secret", "main", "team-b"),
        namespace_token("secret", "other", "team-a"),
        namespace_token("another", "main", "team-a"),
        namespace_token("secret", "main\0team", "-a"),
    }
    assert len(tokens) == 5
    assert {len(token) for token in tokens} == {64}


@pytest.mark.parametrize("partition", ["", "a:b", "{a}", "*", "a" * 129, "a\n"])
def test_a_partition_cannot_leave_its_shelf(partition: str) -> None:
    with pytest.raises(ValidationError):
        NearestRequest(shelf=SHELF, partition=partition, text="hello")


@pytest.mark.parametrize("name", ["", "a b", "{a}", "a\n", "x" * 257])
def test_a_name_is_an_answers(name: str) -> None:
    with pytest.raises(ValidationError):
        RemoveRequest(shelf=SHELF, names=(name,))
    with pytest.raises(ValidationError):
        VectorRequest(shelf=SHELF, partition="aa", name=name, text="hello", expires_at_ms=1)


def test_requests_are_closed_and_bounded() -> None:
    with pytest.raises(ValidationError):
        NearestRequest(shelf=SHELF, partition="aa", text="hello", k=65)
    with pytest.raises(ValidationError):
        RemoveRequest(shelf=SHELF, names=("a:b",) * 1001)
    with pytest.raises(ValidationError):
        SimilarRequest.model_validate({"shelf": SHELF, "text": "a", "least": 0.9, "scope": "b"})


def test_vectors_of_a_scope_lie_in_its_slot() -> None:
    shelves = Shelves.of("main", "team-a", "chat", "0a")
    assert shelves.partitions == "main:c:team-a:2:chat:{0a}:v"
    assert shelves.vectors("bb") == "main:c:team-a:2:chat:{0a}:v:bb"
