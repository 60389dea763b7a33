"""Which candidates can serve a request at all, and why each other one cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from penstock_config.provider import Capability
from penstock_sidecar.errors import CallerError, ContextTooLong
from penstock_sidecar.model import Candidate, Request

MOST_OVERESTIMATED: Final = 2
"""An estimate by bytes is at most about twice too high: escaped Chinese has 6 bytes a token, where
the estimate has 3."""


@dataclass(frozen=True, slots=True)
class Drop:
    """A candidate that cannot serve, by its label."""

    candidate: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sieved:
    """What passed the filters, in the order given, and what did not."""

    kept: tuple[Candidate, ...]
    drops: tuple[Drop, ...]


def sieve(candidates: Sequence[Candidate], request: Request, input_tokens: int) -> Sieved:
    """Keeps at least one candidate, or raises a `CallerError` that says what none can do."""
    needs = _needs(request)
    able = [c for c in candidates if not _missing(c, needs)]
    if not able:
        raise _nobody_is_able(candidates, needs)
    tokens = input_tokens + (request.max_output_tokens or 0)
    kept = tuple(c for c in able if _fits(c, tokens)) or _perhaps_fitting(able, input_tokens)
    if not kept:
        raise _too_long(able, input_tokens, request.max_output_tokens)
    labels = {c.label for c in kept}
    drops = (_drop(c, needs, tokens) for c in candidates if c.label not in labels)
    return Sieved(kept, tuple(drops))


def _perhaps_fitting(able: Sequence[Candidate], input_tokens: int) -> tuple[Candidate, ...]:
    """Those with the largest window, where the input is not certainly too long even for them.

    The provider counts exactly and says so itself; a wrong refusal of ours nobody could mend.
    """
    largest = max(c.model.context_window or 0 for c in able)
    if input_tokens > largest * MOST_OVERESTIMATED:
        return ()
    return tuple(c for c in able if c.model.context_window == largest)


def _needs(request: Request) -> tuple[Capability, ...]:
    if request.embeds:
        return ("embeddings",)
    needs: list[Capability] = ["chat"]
    if request.tools:
        needs.append("tools")
    if request.json:
        needs.append("json")
    if request.images:
        needs.append("vision")
    return tuple(needs)


def _missing(candidate: Candidate, needs: tuple[Capability, ...]) -> list[Capability]:
    return [need for need in needs if need not in candidate.model.capabilities]


def _fits(candidate: Candidate, tokens: int) -> bool:
    window = candidate.model.context_window
    return window is None or tokens <= window


def _drop(candidate: Candidate, needs: tuple[Capability, ...], tokens: int) -> Drop:
    if missing := _missing(candidate, needs):
        return Drop(candidate.label, f"cannot do {' and '.join(missing)}")
    window = candidate.model.context_window
    return Drop(candidate.label, f"{tokens} tokens do not fit its window of {window}")


def _nobody_is_able(candidates: Sequence[Candidate], needs: tuple[Capability, ...]) -> CallerError:
    """Names the needs that no single candidate has; all of them where it is their combination."""
    nowhere = [need for need in needs if all(_missing(c, (need,)) for c in candidates)]
    param = {"chat": "model", "tools": "tools", "json": "response_format", "vision": "messages"}
    param["embeddings"] = "model"
    lacking = nowhere or list(needs)
    return CallerError(
        f"no model that may serve this request can do {' and '.join(lacking)}",
        param=param[lacking[-1]],
    )


def _too_long(
    able: Sequence[Candidate], input_tokens: int, max_output_tokens: int | None
) -> ContextTooLong:
    largest = max(c.model.context_window or 0 for c in able)
    answer = f" and up to {max_output_tokens} for the answer" if max_output_tokens else ""
    return ContextTooLong(
        f"about {input_tokens} tokens of input{answer} do not fit the largest context window"
        f" that may serve this request, {largest} tokens",
        param="messages",
    )
