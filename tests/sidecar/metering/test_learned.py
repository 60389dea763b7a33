"""What is learned about tokens and bytes."""

from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.metering.estimate import IMAGE_TOKENS, Input, estimate_input
from penstock_sidecar.metering.learned import MANY, MAX_RATIOS, TokenRatios
from tests.sidecar.metering import given as a

LABEL = "shop/cloud/small"
SIZE = 1_500


def taught(*input_tokens: int, size: int = SIZE) -> TokenRatios:
    ratios = TokenRatios()
    for tokens in input_tokens:
        ratios.observe(LABEL, size, tokens)
    return ratios


def test_nothing_learned_is_a_third_of_the_bytes() -> None:
    assert TokenRatios().tokens(LABEL, 100) == 34


def test_it_rises_with_the_second_that_makes_more() -> None:
    assert taught(900).tokens(LABEL, SIZE) < 900
    assert taught(900, 900).tokens(LABEL, SIZE) >= 900


def test_it_falls_when_many_make_less() -> None:
    assert taught(*[300] * 1_000).tokens(LABEL, SIZE) >= 500
    assert 300 <= taught(*[300] * 2_500).tokens(LABEL, SIZE) <= 300 * 1.05


def test_one_outlier_moves_nothing() -> None:
    calm = [300] * 2_500
    assert taught(*calm, 1_500).tokens(LABEL, SIZE) == taught(*calm).tokens(LABEL, SIZE)
    assert taught(*calm, 1).tokens(LABEL, SIZE) == taught(*calm).tokens(LABEL, SIZE)


def test_one_in_fifty_is_no_outlier() -> None:
    assert taught(*[*[300] * 49, 600] * 20).tokens(LABEL, SIZE) >= 600


def test_what_is_old_is_forgotten() -> None:
    """After a model behind a name was replaced, or a caller has changed his ways."""
    ratios = taught(*[1_200] * MANY)
    for _ in range(10 * MANY):
        ratios.observe(LABEL, SIZE, 300)
    assert ratios.tokens(LABEL, SIZE) <= 300 * 1.05


def test_short_requests_say_nothing_about_long_ones() -> None:
    ratios = taught(*[40] * 300, size=50)
    assert ratios.tokens(LABEL, 50) >= 40
    assert ratios.tokens(LABEL, 30_000) == 10_000


def test_models_are_told_apart() -> None:
    assert taught(900, 900).tokens("shop/cloud/big", SIZE) == 500


def test_a_count_of_nothing_is_no_news() -> None:
    """Ollama leaves out what it has cached."""
    ratios = taught(*[0] * 500)
    ratios.observe(LABEL, 0, 10)
    assert ratios.tokens(LABEL, SIZE) == 500
    assert ratios.tokens(LABEL, 0) == 0


def test_memory_is_bounded() -> None:
    ratios = TokenRatios()
    for number in range(MAX_RATIOS + 10):
        for _ in range(2):
            ratios.observe(f"shop/cloud/{number}", SIZE, 1_200)
    assert ratios.tokens("shop/cloud/0", SIZE) == 500
    assert ratios.tokens(f"shop/cloud/{MAX_RATIOS}", SIZE) >= 1_200


def test_pictures_are_counted_beside_the_text() -> None:
    ratios = taught(*[300] * 250)
    seen = ratios.estimated(LABEL, Input(0, 9_999, 2, SIZE))
    assert seen.tokens == ratios.tokens(LABEL, SIZE) + 2 * IMAGE_TOKENS
    assert (seen.most_tokens, seen.images) == (9_999, 2)


def test_only_text_teaches() -> None:
    ratios = TokenRatios()
    picture, sound = a.request(300, images=1), a.request(3000, text_only=False)
    for request in (picture, sound):
        looked_at = estimate_input(request)
        for _ in range(9):
            ratios.learn(LABEL, looked_at, looked_at.text_bytes)
        assert ratios.estimated(LABEL, looked_at) == looked_at
    words = estimate_input(a.request(300))
    for _ in range(2):
        ratios.learn(LABEL, words, words.text_bytes)
    assert ratios.estimated(LABEL, words).tokens == words.text_bytes


@given(
    st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(0, 10**9)), max_size=300),
    st.integers(0, 3_000_000),
)
def test_a_guess_is_between_an_eighth_and_all_of_the_bytes(
    seen: list[tuple[int, int]], size: int
) -> None:
    """Whatever a provider counts, and whoever wants to spoil it."""
    ratios = TokenRatios()
    for text_bytes, tokens in seen:
        ratios.observe(LABEL, text_bytes, tokens)
    assert -(-size // 8) <= ratios.tokens(LABEL, size) <= size


@given(st.lists(st.integers(1, SIZE), min_size=300, max_size=900))
def test_hardly_any_request_makes_more_than_was_guessed(
    counts: list[int],
) -> None:
    """Never systematically under: of what it has learned, one in a hundred, or one."""
    ratios = taught(*counts)
    guess = ratios.tokens(LABEL, SIZE)
    assert sum(count > guess for count in counts) <= max(1, (len(counts) + 2) / 100)
