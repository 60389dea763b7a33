"""How much of a conversation goes along."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock_config.provider import Model, Provider, RateLimits
from penstock_sidecar.metering.estimate import estimate_input
from penstock_sidecar.model import Candidate
from penstock_sidecar.sessions.fitting import Piece, fitting, room
from penstock_sidecar.sessions.place import with_history
from penstock_sidecar.sessions.turns import Summary, Turn, decoded, encoded_turn
from tests.sidecar.sessions.builders import asked


def candidate(window: int | None, most: int | None = None, *capabilities: Any) -> Candidate:
    model = Model(
        name="m",
        upstream_name="m",
        context_window=window,
        max_output_tokens=most,
        capabilities=capabilities or ("chat",),
    )
    url = "https://example.com"
    provider = Provider(id="t/p", type="openai", base_url=url, needs_key=False, models=(model,))
    return Candidate(provider, model, "tier", "t/tier")


def turn(text: str, answer: str = "Yes.", images: int = 0) -> Turn:
    content: Any = text
    if images:
        url = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 4000}}
        content = [{"type": "text", "text": text}, *[url] * images]
    user = {"role": "user", "content": content}
    found = decoded(b"", encoded_turn("n", "openai-chat", user, answer))
    assert isinstance(found, Turn)
    return found


TURNS = st.lists(
    st.builds(turn, st.text(max_size=300), st.text(max_size=300), st.integers(0, 2)), max_size=8
)


@given(
    turns=TURNS,
    text=st.text(max_size=200),
    windows=st.lists(st.integers(200, 9000), min_size=1, max_size=3),
    asked_for=st.none() | st.integers(1, 4000),
)
def test_a_request_never_grows_beyond_the_widest_window(
    turns: list[Turn], text: str, windows: list[int], asked_for: int | None
) -> None:
    """By metering's own estimate of what is sent, with room for the answer."""
    request = asked(text, max_tokens=asked_for)
    candidates = [candidate(window) for window in windows]
    left = room(candidates, request, estimate_input(request).tokens)
    kept = fitting(turns, left, sight=True)
    assert kept == tuple(turns)[len(turns) - len(kept) :]
    if kept:
        tokens = estimate_input(with_history(request, 0, kept)).tokens
        assert tokens + (asked_for or 1) <= max(windows)
    assert left is not None
    spare = left - sum(piece.tokens for piece in kept)
    assert len(kept) == len(turns) or turns[-len(kept) - 1].tokens > spare


def test_a_window_without_bound_takes_all() -> None:
    turns = [turn("x" * 9000)]
    left = room([candidate(100), candidate(None)], asked("Hi."), 9)
    assert fitting(turns, left, sight=True) == tuple(turns)


def test_an_unnamed_answer_has_a_quarter_of_the_window_at_most() -> None:
    assert room([candidate(1000)], asked("Hi."), 100) == 650
    assert room([candidate(1000, 50)], asked("Hi."), 100) == 850
    assert room([candidate(1000)], asked("Hi.", max_tokens=600), 100) == 300


def test_the_past_takes_no_more_than_half_of_a_token_limit() -> None:
    limits = [RateLimits(tokens_per_minute=500), RateLimits(tokens_per_day=9000)]
    assert room([candidate(None)], asked("Hi."), 100, limits) == 150
    assert room([candidate(300)], asked("Hi.", max_tokens=50), 100, limits) == 150
    assert room([candidate(220)], asked("Hi.", max_tokens=50), 100, limits) == 70
    model = candidate(None).model.model_copy(update={"limits": RateLimits(tokens_per_minute=300)})
    assert room([replace(candidate(None), model=model)], asked("Hi."), 100) == 50


def test_the_summary_goes_first() -> None:
    pieces: list[Piece] = [Summary(b"", "We met."), turn("Hi.")]
    assert fitting(pieces, pieces[1].tokens, sight=True) == (pieces[1],)
    assert fitting(pieces, 1000, sight=True) == tuple(pieces)


def test_pictures_are_left_out_where_nobody_sees() -> None:
    turns = [turn("Look.", images=1), turn("Hi.")]
    assert fitting(turns, None, sight=False) == (turns[1],)
