"""The claim of a group: what is there is never shrunk, nor moved to another class."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.api.ollama import Storage
from penstock_operator.ollama.workload.quantity import in_mebibytes, mebibytes
from penstock_operator.ollama.workload.volume import volume_claim
from tests.operator.ollama.workload.plans import read


def spec(storage: Storage, there: dict[str, Any] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = volume_claim(read("on-cpu").provider, storage, "g", there)["spec"]
    return found


def claim(size: str, class_name: str | None = "fast") -> dict[str, Any]:
    return {"spec": {"storageClassName": class_name, "resources": {"requests": {"storage": size}}}}


def size(found: dict[str, Any]) -> str:
    return str(found["resources"]["requests"]["storage"])


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        ("10Gi", "20Gi", "20Gi"),
        ("20Gi", "10Gi", "20Gi"),
        ("1Gi", "1024Mi", "1Gi"),
        ("1Ti", "1023Gi", "1Ti"),
        ("5G", "10Gi", "10Gi"),
    ],
)
def test_it_grows_and_never_shrinks(before: str, wanted: str, after: str) -> None:
    assert size(spec(Storage(size=wanted), claim(before))) == after


def test_its_class_stays() -> None:
    other = Storage(size="1Gi", class_name="slow")
    assert spec(other)["storageClassName"] == "slow"
    assert spec(other, claim("1Gi"))["storageClassName"] == "fast"
    assert "storageClassName" not in spec(other, claim("1Gi", None))
    assert "storageClassName" not in spec(Storage(size="1Gi"))


def test_one_that_is_going_counts_for_nothing() -> None:
    going = claim("20Gi") | {"metadata": {"deletionTimestamp": "2026-11-22T00:00:00Z"}}
    found = spec(Storage(size="10Gi", class_name="slow"), going)
    assert (size(found), found["storageClassName"]) == ("10Gi", "slow")


@given(st.integers(0, 10_000_000))
def test_sizes_are_written_as_the_server_writes_them(amount: int) -> None:
    text = mebibytes(amount)
    assert in_mebibytes(text) == amount or (amount, text) == (0, "0")
    assert not (text.endswith("Mi") and amount % 1024 == 0)
    assert not (text.endswith("Gi") and amount % (1024 * 1024) == 0)
