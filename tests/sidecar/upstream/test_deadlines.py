import pytest

from penstock_config.provider import Timeouts
from penstock_sidecar.errors import UpstreamTimeout, UpstreamTooLate
from penstock_sidecar.upstream.deadlines import Deadlines

TIMEOUTS = Timeouts(first_token_seconds=10, idle_seconds=5, total_seconds=60)


def test_a_stream_owes_its_first_content_whatever_else_it_sends() -> None:
    deadlines = Deadlines(TIMEOUTS, 100, stream=True)
    assert [deadlines.due(now) for now in (100, 109)] == [110, 110]
    assert deadlines.missed(110) == "sent no content within 10 seconds"


def test_after_content_each_pause_is_bounded() -> None:
    deadlines = Deadlines(TIMEOUTS, 100, stream=True)
    deadlines.content_came()
    assert [deadlines.due(now) for now in (100, 109)] == [105, 114]
    assert deadlines.missed(114) == "sent nothing for 5 seconds"


def test_nothing_outlasts_the_total() -> None:
    deadlines = Deadlines(TIMEOUTS, 100, stream=True)
    deadlines.content_came()
    assert deadlines.due(158) == 160
    assert deadlines.missed(160) == "did not finish within 60 seconds"


def test_a_plain_answer_owes_nothing_before_its_end() -> None:
    assert Deadlines(TIMEOUTS, 100, stream=False).due(100) == 160


@pytest.mark.parametrize("stream", [True, False])
def test_nothing_may_begin_after_the_requests_own_time(stream: bool) -> None:
    deadlines = Deadlines(TIMEOUTS, 100, stream=stream, until=103)
    assert deadlines.due(100) == 103
    assert type(deadlines.error("a/b", 103)) is UpstreamTooLate


def test_a_stream_that_has_begun_is_not_bounded_by_the_requests_time() -> None:
    deadlines = Deadlines(TIMEOUTS, 100, stream=True, until=103)
    deadlines.content_came()
    assert deadlines.due(102) == 107
    assert type(deadlines.error("a/b", 107)) is UpstreamTimeout


@pytest.mark.parametrize("until", [111, 1000])
def test_who_is_slower_than_the_provider_may_be_is_so_himself(until: float) -> None:
    deadlines = Deadlines(TIMEOUTS, 100, stream=True, until=until)
    assert deadlines.due(100) == 110
    assert type(deadlines.error("a/b", 110)) is UpstreamTimeout
