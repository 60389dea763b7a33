"""How much of a conversation goes along: what is left of the window, newest first."""

from collections.abc import Sequence

from penstock_config.provider import RateLimits
from penstock_sidecar.metering.estimate import OUTPUT_TOKENS
from penstock_sidecar.model import Candidate, Request
from penstock_sidecar.sessions.turns import Summary, Turn

Piece = Turn | Summary


def room(
    candidates: Sequence[Candidate],
    request: Request,
    own_tokens: int,
    limits: Sequence[RateLimits] = (),
) -> int | None:
    """Tokens that the past may have, beside the request's own and its answer, at the candidate that
    takes most; None where nothing bounds it. What fits only one candidate is for that one to serve,
    as it is for a caller who resends everything. `limits` are the caller's."""
    most = [_most(candidate, request, limits) for candidate in candidates]
    bounds = [bound for bound in most if bound is not None]
    return max(bounds) - own_tokens if bounds and len(bounds) == len(most) else None


def fitting(pieces: Sequence[Piece], tokens: int | None, *, sight: bool) -> tuple[Piece, ...]:
    """The newest that fit, each whole, in their order; the summary is the oldest. Without `sight`
    turns with pictures are left out: nobody there could look at them."""
    kept: list[Piece] = []
    for piece in reversed(pieces):
        if isinstance(piece, Turn) and piece.images and not sight:
            continue
        if tokens is not None:
            tokens -= piece.tokens
            if tokens < 0:
                break
        kept.append(piece)
    return tuple(reversed(kept))


def _most(candidate: Candidate, request: Request, limits: Sequence[RateLimits]) -> int | None:
    """Of input: what the window takes, and half of what a token limit ever grants: estimates may
    err, and a request that no limit can hold would be refused each time."""
    window = candidate.model.context_window
    bounds = [] if window is None else [window - _answer_tokens(candidate, request)]
    for each in (*limits, candidate.provider.limits, candidate.model.limits):
        granted = (each.tokens_per_minute, each.tokens_per_day)
        bounds += [tokens // 2 for tokens in granted if tokens is not None]
    return min(bounds, default=None)


def _answer_tokens(candidate: Candidate, request: Request) -> int:
    """What the caller asks for, else what an answer may want: a quarter of the window at most."""
    if request.max_output_tokens is not None:
        return request.max_output_tokens
    model = candidate.model
    return min(model.max_output_tokens or OUTPUT_TOKENS, (model.context_window or 0) // 4)
