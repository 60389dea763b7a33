"""A request's record, for tests."""

from dataclasses import replace
from typing import Any

from penstock_sidecar.model import Outcome, Usage

OK = Outcome(
    call_id="c1",
    policy="team/shop",
    tier="fast",
    provider="team/openai",
    model="gpt-4o-mini",
    status=200,
    error_type="",
    cache="off",
    stream=False,
    usage=Usage(input_tokens=100, output_tokens=20),
    cost_micro_usd=1500,
    saved_micro_usd=0,
    retries=0,
    fallbacks=0,
    duration_seconds=0.3,
    overhead_seconds=0.0004,
    first_content_seconds=0.2,
)


def outcome(**changes: Any) -> Outcome:
    return replace(OK, **changes)
