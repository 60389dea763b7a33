"""What is known of one request so far: the source of its headers and of its `Outcome`."""

from asyncio import CancelledError
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from penstock_sidecar.cache.flight import Flight
from penstock_sidecar.cache.hit import Hit
from penstock_sidecar.clock import Clock
from penstock_sidecar.errors import SidecarError
from penstock_sidecar.metering.cost import usd
from penstock_sidecar.model import (
    UNCLASSIFIED,
    CacheResult,
    Candidate,
    Classification,
    CompressionResult,
    EnsembleResult,
    FlightResult,
    HedgeResult,
    Outcome,
    Request,
    Usage,
)
from penstock_sidecar.routing.debug import Debug, asked_for
from penstock_sidecar.routing.drops import Drop

CLIENT_CLOSED_REQUEST: Final = 499
"""nginx's status for a caller that left; used in metrics and logs only."""
NO_DROPS: Final[Mapping[str, int]] = {}


@dataclass(slots=True)
class Progress:
    """Filled in by the pipeline from top to bottom; one per request, never shared."""

    request: Request
    policy: str
    clock: Clock
    started: float
    cache: CacheResult = "off"
    hit: Hit | None = None
    """The answer, where it came from the cache."""
    shadow: Hit | None = None
    """What the cache would have answered."""
    classification: Classification = UNCLASSIFIED
    rule: str = ""
    debug: Debug | None = None
    """How the way was chosen, where the caller wants to know."""
    drops: Sequence[Drop] = ()
    """Candidates that cannot serve, or come late."""
    session: str = ""
    """What became of the session that the request names."""
    candidate: Candidate | None = None
    candidates_tried: int = 0
    retries: int = 0
    usage: Usage | None = None
    cost_micro_usd: int = 0
    cost_known: bool = True
    """False where something had no price, which is not free."""
    compression: CompressionResult | None = None
    hedge: HedgeResult = ""
    flight: FlightResult = ""
    first_content: float | None = None
    waited_seconds: float = 0
    """Upstream's time, and the caller's reading."""
    provider_headers: Mapping[str, str] = field(default_factory=dict)
    """Those of the answer's provider."""
    limit_headers: Mapping[str, str] = field(default_factory=dict)
    """Ours: what both name, they say better."""
    ensemble: EnsembleResult | None = None
    """Where several models answered."""
    ensemble_headers: Mapping[str, str] = field(default_factory=dict)
    answered: bool = False
    """The caller has the whole answer: he may leave."""
    _waits: int = 0
    _waits_since: float = 0

    @property
    def fallbacks(self) -> int:
        return max(0, self.candidates_tried - 1)

    def wait_begins(self) -> None:
        """A provider is asked; several at a time are one wait."""
        if not self._waits:
            self._waits_since = self.clock.monotonic()
        self._waits += 1

    def wait_ends(self) -> None:
        self._waits -= 1
        if not self._waits:
            self.waited_seconds += self.clock.monotonic() - self._waits_since

    def routed(self, rule: str, target: str) -> None:
        """It is known where the request goes."""
        self.rule = rule
        if asked_for(self.request):
            self.debug = Debug(self.classification, rule, target)

    def joined(self, flight: Flight) -> None:
        """Waiting for another's answer is no work of ours."""
        self.flight = flight.result
        self.waited_seconds += flight.waited_seconds

    def found(self, hit: Hit) -> None:
        """The caller gets a kept answer."""
        self.hit, self.cache = hit, hit.level

    @property
    def saved_micro_usd(self) -> int:
        return self.hit.saved_micro_usd if self.hit else 0

    @property
    def task(self) -> str:
        """Empty where nobody wanted to know; so is `complexity`."""
        return "" if self.classification is UNCLASSIFIED else self.classification.task

    @property
    def complexity(self) -> str:
        return "" if self.classification is UNCLASSIFIED else self.classification.complexity

    def served(self) -> tuple[str, str, str]:
        """(provider, model, tier), each empty while nobody serves."""
        if self.hit:
            entry = self.hit.entry
            return entry.provider, entry.model, entry.tier
        if self.candidate:
            return self.candidate.provider.id, self.candidate.model.name, self.candidate.tier
        return "", "", ""

    def overhead_seconds(self) -> float:
        return max(0.0, self.clock.monotonic() - self.started - self.waited_seconds)

    def headers(self) -> dict[str, str]:
        """What the caller is told of the way, on success and on error (gateways.md, 2a)."""
        provider, model, tier = self.served()
        overhead_ms = f"{self.overhead_seconds() * 1000:.2f}"
        known = {
            "x-penstock-call-id": self.request.call_id,
            "x-penstock-provider": provider,
            "x-penstock-model": model,
            "x-penstock-tier": tier,
            "x-penstock-cache": "" if self.cache == "off" else self.cache,
            **(_found(self.hit) if self.hit else {}),
            "x-penstock-cache-shadow": _would_be(self.shadow) if self.shadow else "",
            **(_shortened(self.compression) if self.compression else {}),
            "x-penstock-route-reason": self.rule,
            "x-penstock-debug": self._debugged(),
            "x-penstock-task": self.task,
            "x-penstock-complexity": self.complexity,
            "x-penstock-session": self.session,
            "x-penstock-attempted-retries": str(self.retries),
            "x-penstock-attempted-fallbacks": str(self.fallbacks),
            "x-penstock-hedge": self.hedge,
            "x-penstock-overhead-ms": overhead_ms,
            "x-litellm-call-id": self.request.call_id,
            "x-litellm-model-id": f"{provider}/{model}" if model else "",
            "x-litellm-attempted-retries": str(self.retries),
            "x-litellm-attempted-fallbacks": str(self.fallbacks),
            "x-litellm-overhead-duration-ms": overhead_ms,
        }
        ours = {name: value for name, value in known.items() if value}
        said = {**self.provider_headers, **self.limit_headers}
        return {**said, **self.ensemble_headers, **ours}

    def _debugged(self) -> str:
        if self.debug is None:
            return ""
        provider, model, _ = self.served()
        return self.debug.header(f"{provider}/{model}" if model else "")

    def cost_headers(self) -> dict[str, str]:
        """The cost, for errors, and for answers whose cost is known before their first byte."""
        if not self.cost_known:
            return {}
        cost = usd(self.cost_micro_usd)
        saved = {"x-penstock-cost-saved-usd": usd(self.saved_micro_usd)} if self.hit else {}
        return {"x-penstock-cost-usd": cost, "x-litellm-response-cost": cost, **saved}

    def outcome(self, error: BaseException | None) -> Outcome:
        """The record for telemetry, once the request has ended."""
        provider, model, tier = self.served()
        left_served = self.answered and isinstance(error, CancelledError)
        status, error_type = _verdict(None if left_served else error)
        unclassified = self.classification is UNCLASSIFIED
        return Outcome(
            call_id=self.request.call_id,
            policy=self.policy,
            tier=tier,
            provider=provider,
            model=model,
            status=status,
            error_type=error_type,
            cache=self.cache,
            stream=self.request.stream,
            usage=self.usage,
            cost_micro_usd=self.cost_micro_usd,
            saved_micro_usd=self.saved_micro_usd,
            retries=self.retries,
            fallbacks=self.fallbacks,
            hedge=self.hedge,
            flight=self.flight,
            ensemble=self.ensemble,
            compression=self.compression,
            duration_seconds=self.clock.monotonic() - self.started,
            overhead_seconds=self.overhead_seconds(),
            first_content_seconds=self.first_content,
            api=self.request.api,
            task=self.classification.task,
            complexity=None if unclassified else self.classification.complexity,
            dropped=dict(Counter(drop.kind for drop in self.drops)) if self.drops else NO_DROPS,
        )


def _shortened(found: CompressionResult) -> Mapping[str, str]:
    return {
        "x-penstock-tokens-before": str(found.tokens_before),
        "x-penstock-tokens-after": str(found.tokens_after),
    }


def _verdict(error: BaseException | None) -> tuple[int, str]:
    """(status, error_type): a caller that left is no error of anybody's but his."""
    match error:
        case None:
            return 200, ""
        case SidecarError():
            return error.status, error.error_type
        case Exception() if not isinstance(error, ConnectionResetError):
            return 500, "own_error"
        case _:
            return CLIENT_CLOSED_REQUEST, "caller_disconnected"


def _found(hit: Hit) -> dict[str, str]:
    """`age` is RFC 9111's."""
    age = str(hit.age_seconds)
    found = {"x-penstock-cache-key": hit.key_id, "x-penstock-cache-age": age, "age": age}
    if hit.similarity is not None:
        found["x-penstock-cache-similarity"] = f"{hit.similarity:.4f}"
    return found


def _would_be(hit: Hit) -> str:
    return f"would-hit {hit.similarity:.4f} {hit.key_id}"
