"""Which candidates can serve a request at all, and why each other one cannot."""

from collections.abc import Mapping, Sequence
from typing import Final

from penstock_config.provider import Capability
from penstock_sidecar.errors import CallerError, ContextTooLong
from penstock_sidecar.model import Api, Candidate, Request
from penstock_sidecar.routing.drops import Drop, Reason, Sieved

Need = tuple[Capability, ...]
"""Any of these will do."""
Needs = tuple[Need, ...]
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


def sieve(candidates: Sequence[Candidate], request: Request, input_tokens: int) -> Sieved:
    """Keeps at least one candidate, or raises a `CallerError` that says what none can do."""
    able = able_to(candidates, needs_of(request), request)
    fitting = with_room(able.kept, request, input_tokens)
    return Sieved(fitting.kept, able.drops + fitting.drops)


def able_to(candidates: Sequence[Candidate], needs: Needs, request: Request) -> Sieved:
    """By what their models can do; raises a `CallerError` where none can do it all."""
    kept = tuple(c for c in candidates if not _missing(c, needs))
    if not kept:
        raise _nobody_is_able(candidates, needs, request)
    drops = (_unable(c, missing) for c in candidates if (missing := _missing(c, needs)))
    return Sieved(kept, tuple(drops))


def with_room(able: tuple[Candidate, ...], request: Request, input_tokens: int) -> Sieved:
    """By their context windows; raises `ContextTooLong`."""
    # A window bounds each text that is embedded: their provider counts them, one by one.
    tokens = 0 if request.embeds else input_tokens + (request.max_output_tokens or 0)
    kept = tuple([c for c in able if _fits(c, tokens)])
    if len(kept) == len(able):
        return Sieved(able, ())
    kept = kept or _perhaps_fitting(able, input_tokens)
    if not kept:
        raise _too_long(able, input_tokens, request)
    labels = {c.label for c in kept}
    return Sieved(kept, tuple(_too_small(c, tokens) for c in able if c.label not in labels))


def _perhaps_fitting(able: Sequence[Candidate], input_tokens: int) -> tuple[Candidate, ...]:
    """Those with the largest window, where the input is not certainly too long even for them.

    The provider counts exactly and says so itself; a wrong refusal of ours nobody could mend.
    """
    largest = max(c.model.context_window or 0 for c in able)
    if input_tokens > largest * MOST_OVERESTIMATED:
        return ()
    return tuple(c for c in able if c.model.context_window == largest)


def needs_of(request: Request) -> Needs:
    """All of them must be met."""
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


def _missing(candidate: Candidate, needs: Needs) -> list[Need]:
    return [need for need in needs if not set(need) & set(candidate.model.capabilities)]


def _said(needs: Sequence[Need]) -> str:
    return " and ".join(" or ".join(need) for need in needs)


def _fits(candidate: Candidate, tokens: int) -> bool:
    window = candidate.model.context_window
    return window is None or tokens <= window


def _unable(candidate: Candidate, missing: Sequence[Need]) -> Drop:
    kind: Reason = "modality" if missing == [("vision",)] else "capability"
    return Drop(candidate.label, f"cannot do {_said(missing)}", kind)


def _too_small(candidate: Candidate, tokens: int) -> Drop:
    window = candidate.model.context_window
    text = f"{tokens} tokens do not fit its window of {window}"
    return Drop(candidate.label, text, "context_window")


def _nobody_is_able(candidates: Sequence[Candidate], needs: Needs, request: Request) -> CallerError:
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
