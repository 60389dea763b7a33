"""Values that every request makes."""

from penstock_sidecar.values import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0


@dataclass(slots=True)
class Mutable:
    x: int


@dataclass
class Bare:
    x: int


def test_frozen_ones_are_equal_and_hashable_by_their_fields() -> None:
    assert Point(1) == Point(1, 0) != Point(1, 2)
    assert {Point(1): "here"}[Point(1)] == "here"


def test_mypy_refuses_to_change_what_is_frozen() -> None:
    """Else this comment would be one too many, which it refuses too."""
    point = Point(1)
    point.x = 2  # type: ignore[misc]


def test_others_are_as_the_library_makes_them() -> None:
    mutable, bare = Mutable(1), Bare(1)
    mutable.x = bare.x = 2
    assert (mutable, bare) == (Mutable(2), Bare(2))
    assert Mutable.__hash__ is None
    assert not hasattr(mutable, "__dict__")
