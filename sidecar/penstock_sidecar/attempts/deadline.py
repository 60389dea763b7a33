"""By when a request must be answered: the least of what its caller waits and its policy grants.

Of a stream it is the first content that must be there by then, of anything else the whole answer.
A stream that has begun is bounded by its provider's time-outs alone: nobody's clients measure how
long it lasts.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from penstock_config.classification import Complexity
from penstock_config.policy import Overrides
from penstock_config.tier import Tier
from penstock_sidecar.errors import CallerOutOfTime, OutOfTime
from penstock_sidecar.model import Request
from penstock_sidecar.verdict import Failure, reasons

DEFAULT_SECONDS: Final = 600.0
"""The official clients' own."""
IN_SECONDS: Final = ("x-stainless-read-timeout", "x-stainless-timeout", "x-litellm-timeout")
"""The clients of OpenAI and Anthropic send the first two; LiteLLM's callers the third."""
STREAM_TIMEOUT: Final = "x-litellm-stream-timeout"
"""The same for streams alone, until their first piece."""
IN_MILLISECONDS: Final = "x-request-timeout-ms"
GRPC_TIMEOUT: Final = "grpc-timeout"
_GRPC: Final = re.compile(r"(\d{1,8})([HMSmun])")
"""https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md."""
_GRPC_SECONDS: Final[Mapping[str, float]] = {
    "H": 3600, "M": 60, "S": 1, "m": 1e-3, "u": 1e-6, "n": 1e-9,
}  # fmt: skip
TELLING_SHARE: Final = 0.05
MAX_TELLING_SECONDS: Final = 0.25
"""Kept back of a caller's time-out, so that he hears why and does not find it out by himself."""

Source = Literal["caller", "rule", "tier", "default"]


@dataclass(frozen=True, slots=True)
class Deadline:
    """`at` is on the loop's clock. `name` is that of the header, the rule or the tier that set it;
    `complexity` is the tier's reason."""

    at: float
    seconds: float
    source: Source = "default"
    name: str = ""
    complexity: Complexity = "medium"

    @property
    def said(self) -> bool:
        """Somebody chose it."""
        return self.source != "default"

    def allows(self, seconds: float, now: float) -> bool:
        """Whether there is time left after so many seconds."""
        return now + seconds < self.at

    def error(self, failures: Sequence[Failure]) -> OutOfTime:
        """Says what to change, and what was tried."""
        tried = f" (tried: {reasons(failures)})" if failures else ""
        kind = CallerOutOfTime if self.source == "caller" else OutOfTime
        return kind(f"no answer could be had within {self.seconds:g} s{tried}: {self._remedy()}")

    def _remedy(self) -> str:
        match self.source:
            case "caller":
                return f"{self.name} asks for that: give the client a longer time-out"
            case "rule":
                return f"rule {self.name} asks for that: raise its overrides.timeoutSeconds"
            case "tier":
                return (
                    f"tier {self.name} asks for that: raise its timeouts for {self.complexity}"
                    " requests"
                )
            case "default":
                return "set timeouts of the tier if its models need longer"


def deadline_of(
    request: Request,
    rule: tuple[str, Overrides],
    tier: Tier,
    complexity: Complexity,
    now: float,
) -> Deadline:
    """`rule` is its name and what it changes; `now` is when the request came."""
    granted = _granted(rule, tier, complexity, now)
    waited = min(_said(request), default=None)
    if waited is None:
        return granted
    seconds, header = waited
    telling = min(seconds * TELLING_SHARE, MAX_TELLING_SECONDS)
    if seconds - telling >= granted.seconds:
        return granted
    return Deadline(now + seconds - telling, seconds, "caller", header)


def _granted(
    rule: tuple[str, Overrides], tier: Tier, complexity: Complexity, now: float
) -> Deadline:
    name, overrides = rule
    if (seconds := overrides.timeout_seconds) is not None:
        return Deadline(now + seconds, seconds, "rule", name)
    for each in tier.timeouts:
        if each.complexity == complexity:
            return Deadline(now + each.seconds, each.seconds, "tier", tier.id, complexity)
    return Deadline(now + DEFAULT_SECONDS, DEFAULT_SECONDS)


def _said(request: Request) -> Iterator[tuple[float, str]]:
    """(seconds, header) of each that names a time. JavaScript's clients cut fractions off: 0 may
    be anything below a second, and says nothing."""
    headers = request.headers
    names = (*IN_SECONDS, STREAM_TIMEOUT) if request.stream else IN_SECONDS
    for name in names:
        if name in headers and (seconds := _number(headers[name])):
            yield seconds, name
    if IN_MILLISECONDS in headers and (milliseconds := _number(headers[IN_MILLISECONDS])):
        yield milliseconds / 1000, IN_MILLISECONDS
    found = _GRPC.fullmatch(headers.get(GRPC_TIMEOUT, ""))
    if found and (seconds := int(found[1]) * _GRPC_SECONDS[found[2]]):
        yield seconds, GRPC_TIMEOUT


def _number(text: str) -> float:
    """0 for what is none, or not above it."""
    try:
        value = float(text)
    except ValueError:
        return 0
    return value if math.isfinite(value) and value > 0 else 0
