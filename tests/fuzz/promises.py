"""What holds for any input. Each raises where it does not."""

import json
from typing import Any, Final

from penstock_sidecar.model import Request
from tests.fuzz.corpus import Found, seeds
from tests.fuzz.mutation import cuts
from tests.fuzz.target import HEADERS, PARSERS, WAYS, Outcome, Way, answered, asked

ROOM_BYTES: Final = 100_000
GROWTH: Final = 200
"""Of a tiny frame, such as `{}`, another dialect makes an event with a head of its own."""


def keeps(case: Found) -> None:
    """The promise of the case's kind."""
    match case.what:
        case "streams":
            streams_are_read(case)
        case "wholes":
            wholes_are_read(case)
        case "requests":
            requests_are_written(case)


def streams_are_read(case: Found) -> None:
    """Chunks, or an error that says whose fault it is; the same however the network cuts it, and
    not much more than came."""
    request = SAMPLES[case.way, True]
    whole = answered(case.way, request, [case.data])
    _is_bounded(whole, case)
    cut = answered(case.way, request, list(cuts(case.data, case.places)))
    assert cut == whole, f"{case.way}: cut at {case.places}"


def wholes_are_read(case: Found) -> None:
    outcome = answered(case.way, SAMPLES[case.way, False], [case.data])
    _is_bounded(outcome, case)
    if not outcome.error and not case.way.passes:
        json.loads(b"".join(chunk.data for chunk in outcome.chunks))


def requests_are_written(case: Found) -> None:
    """Refused as the caller's fault, or JSON for the provider."""
    for body in asked(case.way, case.data):
        json.loads(body)


def _is_bounded(outcome: Outcome, case: Found) -> None:
    most = GROWTH * len(case.data) + ROOM_BYTES
    assert outcome.size_bytes <= most, f"{case.way}: {outcome.size_bytes} bytes"


def _sample(way: Way, *, stream: bool) -> Request:
    """The first seed's request: what an answer is read for."""
    document: dict[str, Any] = json.loads(seeds("requests", way.api)[0])
    body = json.dumps(document | {"stream": stream}).encode()
    return PARSERS[way.api](body, HEADERS, "call")


SAMPLES: Final = {
    (way, stream): _sample(way, stream=stream)
    for way in WAYS
    for stream in (True, False)
    if not (stream and ("embed" in way.api or way.api == "anthropic-count-tokens"))
}
STREAMING: Final = tuple(way for way in WAYS if (way, True) in SAMPLES)
