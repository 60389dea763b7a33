"""Everything in `known` keeps its promise, and a short search finds nothing new."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock_sidecar.dialects.splitter import MAX_EVENT_BYTES
from tests.fuzz.corpus import FOUND, ROOT, Found, What, found, seeds
from tests.fuzz.promises import SAMPLES, STREAMING, keeps
from tests.fuzz.search import CASES, TRIED
from tests.fuzz.target import PARSERS, WAYS, Way, answered, asked

DIALECTS = list({way.answered_in: way for way in STREAMING}.values())
"""A way for each that providers answer in."""
KINDS: tuple[What, ...] = ("streams", "wholes", "requests")
quick = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=(*TRIED, HealthCheck.function_scoped_fixture),
)


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_stays_mended(path: Path) -> None:
    keeps(found(path))


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_recorded_answers_and_requests_keep_their_promise(way: Way) -> None:
    for data in seeds("requests", way.api):
        keeps(Found("requests", way, data))
    for data in seeds("wholes", way.answered_in):
        keeps(Found("wholes", way, data))


@pytest.mark.parametrize("way", STREAMING, ids=str)
def test_recorded_streams_do_not_depend_on_how_they_are_cut(way: Way) -> None:
    """Into single bytes: also inside UTF-8, and inside `data:`."""
    for data in seeds("streams", way.answered_in):
        keeps(Found("streams", way, data, tuple(range(len(data)))))


@pytest.mark.parametrize("way", DIALECTS, ids=str)
def test_a_recorded_stream_may_be_cut_in_two_anywhere(way: Way) -> None:
    data = known_text(way)
    for place in range(len(data)):
        keeps(Found("streams", way, data, (place,)))


@pytest.mark.parametrize("way", STREAMING, ids=str)
def test_the_recorded_text_is_read_and_written(way: Way) -> None:
    """Else a search would only prove that everything is refused."""
    outcome = answered(way, SAMPLES[way, True], [known_text(way)])
    assert outcome.error == ""
    assert any(chunk.content for chunk in outcome.chunks)
    assert outcome.chunks[-1].end


def known_text(way: Way) -> bytes:
    return (ROOT / "streams" / way.answered_in / "text").read_bytes()


@pytest.mark.parametrize("api", PARSERS)
def test_the_recorded_requests_are_asked_of_somebody(api: str) -> None:
    ways = [way for way in WAYS if way.api == api]
    for body in seeds("requests", api):
        assert any(asked(way, body) for way in ways)


@pytest.mark.parametrize("what", KINDS)
def test_a_short_search_finds_nothing(what: What) -> None:
    @quick
    @given(CASES[what])
    def holds(case: Found) -> None:
        keeps(case)

    holds()


@quick
@given(st.sampled_from(STREAMING), st.binary(max_size=300), st.lists(st.integers(0, 300)))
def test_any_bytes_are_chunks_or_an_error(way: Way, data: bytes, places: list[int]) -> None:
    keeps(Found("streams", way, data, tuple(places)))
    keeps(Found("wholes", way, data))


@pytest.mark.parametrize("way", STREAMING, ids=str)
def test_an_event_without_end_is_refused_long_before_memory_is_full(way: Way) -> None:
    segments = [b"data: {"] + [b" " * 65_536] * (MAX_EVENT_BYTES // 65_536 + 1)
    outcome = answered(way, SAMPLES[way, True], segments)
    assert "beyond all bounds" in outcome.error
    assert outcome.size_bytes == 0
