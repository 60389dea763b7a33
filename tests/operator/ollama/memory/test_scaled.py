"""Without the table: from the number of parameters and the format alone."""

import pytest

from penstock_operator.ollama.memory.known import find_known
from penstock_operator.ollama.memory.names import said_by
from tests.operator.ollama.memory.published import Unlisted, by_formula, deviation, unlisted

MODELS = unlisted()


@pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m.name} {m.quantisation}")
def test_a_model_that_is_not_in_the_table_is_within_a_tenth(model: Unlisted) -> None:
    need = by_formula(model)
    assert need.source == "formula"
    assert abs(deviation(need, model.megabytes)) < 0.1
    assert model.source.startswith("https://")


def test_none_of_them_is_in_the_table() -> None:
    names = {model.name for model in MODELS}
    assert len(names) >= 4
    for name in names:
        assert find_known(said_by(name.lower().replace(" ", ":", 1).replace(" ", ""))) is None
