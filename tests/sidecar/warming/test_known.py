"""Questions that may be asked again, in this sidecar's memory."""

from penstock_sidecar.warming.known import Known
from tests.sidecar.warming.questions import SHELVES, question


def known(*names: str, most: int = 3, most_bytes: int = 100, size: int = 1) -> list[str]:
    """Which are still known when all were added."""
    memory = Known(most, most_bytes)
    for name in names:
        memory.add(question(name, size=size))
    return [name for name in sorted({*names}) if memory.get(SHELVES.answer(name))]


def test_the_latest_questions_are_known() -> None:
    assert known("a", "b", "c", "d") == ["b", "c", "d"]


def test_to_be_asked_again_is_to_be_late() -> None:
    assert known("a", "b", "c", "a", "d") == ["a", "c", "d"]


def test_large_requests_leave_room_for_fewer() -> None:
    assert known("a", "b", "c", size=40) == ["b", "c"]
    assert known("a", size=101) == []
