"""Looks for inputs that break a promise, by hypothesis, and shrinks what it finds."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.corpus import Found, What, seeds
from tests.fuzz.mutation import PLACES, json_mutants, mutants
from tests.fuzz.promises import STREAMING, keeps
from tests.fuzz.target import WAYS

TRIED: Final = (HealthCheck.too_slow, HealthCheck.data_too_large)


def _streams() -> Iterator[st.SearchStrategy[Found]]:
    for way in STREAMING:
        data = mutants(seeds("streams", way.answered_in))
        yield st.builds(Found, st.just("streams"), st.just(way), data, PLACES.map(tuple))


def _wholes() -> Iterator[st.SearchStrategy[Found]]:
    for way in WAYS:
        known = seeds("wholes", way.answered_in)
        data = st.one_of(json_mutants(known), mutants(known))
        yield st.builds(Found, st.just("wholes"), st.just(way), data)


def _requests() -> Iterator[st.SearchStrategy[Found]]:
    for way in WAYS:
        known = seeds("requests", way.api)
        data = st.one_of(json_mutants(known), json_mutants(known), mutants(known))
        yield st.builds(Found, st.just("requests"), st.just(way), data)


CASES: Final[Mapping[What, st.SearchStrategy[Found]]] = {
    "streams": st.one_of(*_streams()),
    "wholes": st.one_of(*_wholes()),
    "requests": st.one_of(*_requests()),
}


@dataclass(slots=True)
class Search:
    """Of one kind. `broken` is the smallest input so far that broke a promise, with its error."""

    what: What
    broken: tuple[Found, Exception] | None = None

    def run(self, examples: int, seen: Callable[[Exception], bool] = lambda _: False) -> None:
        """Raises what an input raised, after shrinking it; `seen` ones are let pass."""

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=TRIED,
        )
        @given(CASES[self.what])
        def holds(case: Found) -> None:
            try:
                keeps(case)
            except Exception as error:
                if seen(error):
                    return
                self.broken = case, error
                raise

        holds()
