from random import Random

import pytest

from penstock_config.policy import Retry
from penstock_sidecar.errors import (
    EmptyCompletion,
    UpstreamCredentials,
    UpstreamError,
    UpstreamLimited,
    UpstreamMisconfigured,
    UpstreamRefused,
    UpstreamUnavailable,
)
from penstock_sidecar.upstream.retry import backoff_seconds

RETRY = Retry(attempts=4, backoff_ms=200)


@pytest.mark.parametrize(("failures", "most"), [(1, 0.2), (2, 0.4), (3, 0.8)])
def test_the_wait_is_anything_up_to_a_bound_that_doubles(failures: int, most: float) -> None:
    random = Random(1)
    error = UpstreamUnavailable("down")
    waits = [backoff_seconds(RETRY, failures, error, random) or 0 for _ in range(1000)]
    assert min(waits) < most * 0.05
    assert most * 0.95 < max(waits) <= most


def test_the_policy_s_attempts_are_the_end() -> None:
    assert backoff_seconds(RETRY, 4, UpstreamUnavailable("down"), Random(1)) is None


@pytest.mark.parametrize(
    "kind", [UpstreamCredentials, UpstreamLimited, UpstreamMisconfigured, UpstreamRefused]
)
def test_what_would_fail_again_is_not_retried(kind: type[UpstreamError]) -> None:
    assert backoff_seconds(RETRY, 1, kind("no"), Random(1)) is None


def test_the_provider_s_own_wait_is_the_least() -> None:
    error = UpstreamUnavailable("down", retry_after_seconds=2)
    wait = backoff_seconds(RETRY, 1, error, Random(1))
    assert wait is not None
    assert 2 <= wait <= 2.2


def test_a_long_wait_is_left_to_other_candidates() -> None:
    error = EmptyCompletion("empty", retry_after_seconds=30)
    assert backoff_seconds(RETRY, 1, error, Random(1)) is None
