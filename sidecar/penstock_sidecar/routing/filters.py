"""Which candidates can serve a request at all, and why each other one cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_config.provider import Capability
from penstock_sidecar.errors import CallerError, ContextTooLong
from penstock_sidecar.model import Api, Candidate, Request

Need = tuple[Capability, ...]
"""Any of these will do."""
MOST_OVERESTIMATED: Final = 2
"""An estimate by bytes is at most about twice too high: escaped Chinese has 6 bytes a token, where
the estimate has 3."""
PARAMS: Final[Mapping[Capability, str]] = {
    "tools": "tools",
    "json": "response_format",
    "vision": "messages",
}
"""The field that asks for it; where none does, it is the model that cannot."""
OTHER_PARAMS: Final[Mapping[Api, Mapping[Capability, str]]] = {
    "openai-responses": {"json": "text.format", "vision": "input"},
    "ollama-chat": {"json": "format"},
    "ollama-generate": {"json": "format", "vision": "images"},
}


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
        raise _nobody_is_able(candidates, needs, request)
    # A window bounds each text that is embedded: their provider counts them, one by one.
    tokens = 0 if request.embeds else input_tokens + (request.max_output_tokens or 0)
    kept = tuple(c for c in able if _fits(c, tokens)) or _perhaps_fitting(able, input_tokens)
    if not kept:
        raise _too_long(able, input_tokens, request)
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


def _needs(request: Request) -> tuple[Need, ...]:
    if request.embeds:
        return (("embeddings",),)
    if request.api == "openai-completions":
        return (("completions", "chat"),)
    needs: list[Need] = [("chat",)]
    if request.tools:
        needs.append(("tools",))
    if request.json:
        needs.append(("json",))
    if request.images:
        needs.append(("vision",))
    return tuple(needs)


def _missing(candidate: Candidate, needs: tuple[Need, ...]) -> list[Need]:
    return [need for need in needs if not set(need) & set(candidate.model.capabilities)]


def _said(needs: Sequence[Need]) -> str:
    return " and ".join(" or ".join(need) for need in needs)


def _fits(candidate: Candidate, tokens: int) -> bool:
    window = candidate.model.context_window
    return window is None or tokens <= window


def _drop(candidate: Candidate, needs: tuple[Need, ...], tokens: int) -> Drop:
    if missing := _missing(candidate, needs):
        return Drop(candidate.label, f"cannot do {_said(missing)}")
    window = candidate.model.context_window
    return Drop(candidate.label, f"{tokens} tokens do not fit its window of {window}")


def _nobody_is_able(
    candidates: Sequence[Candidate], needs: tuple[Need, ...], request: Request
) -> CallerError:
    """Names the needs that no single candidate has; all of them where it is their combination."""
    nowhere = [need for need in needs if all(_missing(c, (need,)) for c in candidates)]
    lacking = nowhere or list(needs)
    names = {**PARAMS, **OTHER_PARAMS.get(request.api, {})}
    return CallerError(
        f"no model that may serve this request can do {_said(lacking)}: ask for another, or, where"
        " one can, add that to `capabilities` of the model in its LLMProvider",
        param=names.get(lacking[-1][0], "model"),
    )


def _too_long(able: Sequence[Candidate], input_tokens: int, request: Request) -> ContextTooLong:
    most = request.max_output_tokens
    largest = max(c.model.context_window or 0 for c in able)
    answer = f" and up to {most} for the answer" if most else ""
    return ContextTooLong(
        f"about {input_tokens} tokens of input{answer} do not fit the largest context window"
        f" that may serve this request, {largest} tokens",
        param=request.input_field,
    )
