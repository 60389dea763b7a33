"""The API server's histogram becomes the bound that so many answers kept to."""

import pytest

from bench.api_server import buckets, quantile

EXPOSITION = """
# HELP apiserver_request_duration_seconds Response latency.
# TYPE apiserver_request_duration_seconds histogram
apiserver_request_duration_seconds_bucket{verb="GET",resource="pods",le="0.05"} 90
apiserver_request_duration_seconds_bucket{verb="GET",resource="pods",le="0.1"} 98
apiserver_request_duration_seconds_bucket{verb="GET",resource="pods",le="+Inf"} 98
apiserver_request_duration_seconds_bucket{verb="PATCH",resource="pods",le="0.05"} 0
apiserver_request_duration_seconds_bucket{verb="PATCH",resource="pods",le="0.1"} 1
apiserver_request_duration_seconds_bucket{verb="PATCH",resource="pods",le="+Inf"} 2
apiserver_request_duration_seconds_bucket{verb="WATCH",resource="pods",le="0.05"} 0
apiserver_request_duration_seconds_bucket{verb="WATCH",resource="pods",le="+Inf"} 5
apiserver_request_duration_seconds_sum{verb="GET",resource="pods"} 3
apiserver_request_duration_seconds_count{verb="GET",resource="pods"} 98
apiserver_request_total{verb="GET",resource="pods"} 98
"""
FOUND = buckets(EXPOSITION)
NOTHING = buckets("")


def test_verbs_are_added_up_and_watches_left_out() -> None:
    assert dict(FOUND) == {0.05: 90, 0.1: 99, float("inf"): 100}


@pytest.mark.parametrize(
    ("share", "bound"), [(0.5, 0.05), (0.9, 0.05), (0.99, 0.1), (1, float("inf"))]
)
def test_a_quantile_is_the_least_bound_that_so_many_kept_to(share: float, bound: float) -> None:
    assert quantile(NOTHING, FOUND, share) == bound


def test_only_what_came_in_between_counts() -> None:
    earlier = buckets(EXPOSITION.replace("90", "80").replace("98", "80"))
    assert quantile(earlier, FOUND, 0.5) == 0.05
    with pytest.raises(ValueError, match="no requests"):
        quantile(FOUND, FOUND, 0.5)
