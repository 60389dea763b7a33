"""Which candidate is asked next."""

from penstock_sidecar.attempts.course import Course, Windows
from penstock_sidecar.model import Candidate
from tests.sidecar.routing.builders import model, provider


def candidate(owner: str, window: int | None = None) -> Candidate:
    found = provider(owner, model("small", context_window=window))
    return Candidate(found, found.models[0], "fast", "shop/fast")


def names(course: Course) -> list[str]:
    found = []
    while each := course.take():
        found.append(each.provider.id)
    return found


def test_each_is_taken_once_in_order() -> None:
    course = Course([candidate("a"), candidate("b")], Windows())
    assert names(course) == ["shop/a", "shop/b"]


def test_a_second_is_of_another_provider_where_there_is_one() -> None:
    course = Course([candidate("a"), candidate("a"), candidate("b")], Windows())
    first = course.take()
    assert first
    second, third = (course.take_beside(first, lambda _: True) for _ in range(2))
    assert second
    assert third
    assert (second.provider.id, third.provider.id) == ("shop/b", "shop/a")


def test_who_is_not_fit_is_no_second_and_still_there() -> None:
    course = Course([candidate("a"), candidate("b")], Windows())
    first = course.take()
    assert first
    assert course.take_beside(first, lambda _: False) is None
    assert names(course) == ["shop/b"]


def test_what_was_put_back_is_next() -> None:
    course = Course([candidate("a"), candidate("b")], Windows())
    taken = course.take()
    assert taken
    course.put_back(taken)
    assert names(course) == ["shop/a", "shop/b"]


def test_after_a_request_was_too_long_only_larger_windows_are_left() -> None:
    windows = Windows()
    small = candidate("small", 8000)
    course = Course(
        [small, candidate("same", 8000), candidate("unknown"), candidate("large", 9000)], windows
    )
    assert course.take() is small
    windows.refused(small)
    assert names(course) == ["shop/unknown", "shop/large"]
