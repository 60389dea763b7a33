"""By when a request must be answered: the least of what its caller waits and its policy grants.

Of a stream it is the first content that must be there by then, of anything else the whole answer.
A stream that has begun is bounded by its provider's time-outs alone: nobody's clients measure how
long it lasts.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal

from penstock_config.classification import Complexity
from penstock_config.policy import Overrides
from penstock_config.tier import Tier
from penstock_sidecar.errors import CallerOutOfTime, OutOfTime
from penstock_sidecar.model import Request
from penstock_sidecar.values import dataclass
from penstock_sidecar.verdict import Failure, reasons

DEFAULT_SECONDS: Final = 600.0
"""The official clients' own."""
_GRPC: Final = re.compile(r"(\d{1,8})([HMSmun])")
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

    def patience(self, now: float, *, stream: bool) -> float:
        """Until when to wait for another's answer, which has begun before one's own would. But of
        a stream one's own first content may be there before all of another's: half of the time is
        kept for that."""
        return now + (self.at - now) / 2 if stream else self.at

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
    for name, read in STREAMS if request.stream else ALL:
        if name in headers and (seconds := read(headers[name])):
            yield seconds, name


def _seconds(text: str) -> float:
    """0 for what is no number above it, as of all that read."""
    try:
        value = float(text)
    except ValueError:
        return 0
    return value if math.isfinite(value) and value > 0 else 0


def _milliseconds(text: str) -> float:
    return _seconds(text) / 1000


def _grpc(text: str) -> float:
    """https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md."""
    found = _GRPC.fullmatch(text)
    return int(found[1]) * _GRPC_SECONDS[found[2]] if found else 0


Read = Callable[[str], float]
ALL: Final[tuple[tuple[str, Read], ...]] = (
    ("x-stainless-read-timeout", _seconds),
    ("x-stainless-timeout", _seconds),
    ("x-litellm-timeout", _seconds),
    ("x-request-timeout-ms", _milliseconds),
    ("grpc-timeout", _grpc),
)
"""How callers say how long they wait. The clients of OpenAI and Anthropic send the first two."""
STREAMS: Final = (*ALL, ("x-litellm-stream-timeout", _seconds))
"""The last is until a stream's first piece."""
