"""How much of a conversation goes along: what is left of the window, newest first."""

from collections.abc import Sequence

from penstock_sidecar.metering.estimate import OUTPUT_TOKENS
from penstock_sidecar.model import Candidate, Request
from penstock_sidecar.sessions.turns import Summary, Turn

Piece = Turn | Summary


def room(candidates: Sequence[Candidate], request: Request, own_tokens: int) -> int | None:
    """Tokens that the widest window has left beside the request's own and its answer; None where a
    window has no bound. What fits only one candidate is for that one to serve, as it is for a
    caller who resends everything."""
    windows = [candidate.model.context_window for candidate in candidates]
    known = [window for window in windows if window is not None]
    if len(known) < len(windows):
        return None
    return max(
        (c.model.context_window or 0) - _answer_tokens(c, request) - own_tokens for c in candidates
    )


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


def _answer_tokens(candidate: Candidate, request: Request) -> int:
    """What the caller asks for, else what an answer may want: a quarter of the window at most."""
    if request.max_output_tokens is not None:
        return request.max_output_tokens
    model = candidate.model
    return min(model.max_output_tokens or OUTPUT_TOKENS, (model.context_window or 0) // 4)
