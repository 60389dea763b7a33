from penstock_sidecar.embedding.breaker import (
    FAILURES,
    FIRST_PAUSE_SECONDS,
    MAX_PAUSE_SECONDS,
    Breaker,
)


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker()
    results = [breaker.failed(now) for _ in range(FAILURES)]
    assert results == [False] * (FAILURES - 1) + [True]
    return breaker


def test_it_asks_until_there_were_too_many_failures_in_a_row() -> None:
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        assert breaker.begins(0.0)
        assert not breaker.failed(0.0)
    breaker.succeeded()
    for _ in range(FAILURES - 1):
        assert not breaker.failed(0.0)
    assert not breaker.open
    assert breaker.failed(0.0)
    assert not breaker.begins(0.0)


def test_one_request_at_a_time_tries_it_after_a_pause() -> None:
    breaker = opened()
    assert not breaker.begins(FIRST_PAUSE_SECONDS - 0.01)
    assert breaker.begins(FIRST_PAUSE_SECONDS)
    assert not breaker.begins(FIRST_PAUSE_SECONDS)
    assert breaker.succeeded()
    assert breaker.begins(FIRST_PAUSE_SECONDS)


def test_each_failed_try_makes_the_pause_longer_up_to_a_bound() -> None:
    breaker, now, pauses = opened(), FIRST_PAUSE_SECONDS, []
    for _ in range(8):
        assert breaker.begins(now)
        assert not breaker.failed(now), "it was open all along: no news"
        pause = 0.0
        while not breaker.begins(now + pause):
            pause += 1.0
        breaker.gave_up()
        pauses.append(pause)
        now += pause
    assert pauses[:3] == [2.0, 4.0, 8.0]
    assert pauses[-1] == MAX_PAUSE_SECONDS


def test_a_try_that_nobody_waited_for_leaves_room_for_another() -> None:
    breaker = opened()
    assert breaker.begins(FIRST_PAUSE_SECONDS)
    breaker.gave_up()
    assert breaker.begins(FIRST_PAUSE_SECONDS)


def test_failures_of_calls_that_began_before_it_opened_do_not_lengthen_the_pause() -> None:
    breaker = opened()
    for _ in range(10):
        assert not breaker.failed(FIRST_PAUSE_SECONDS / 2)
    assert breaker.begins(FIRST_PAUSE_SECONDS)
