"""What the graph is made of, and models that it is no graph of."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from penstock_embedder.encoding.graph import check_fit, read_weights
from penstock_embedder.errors import ModelUnfit
from tests.embedder.encoding.models import CONFIG, MODULES, POOLING, saved


def test_weights_are_read_as_they_were_written(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model")
    weights = read_weights(folder / "model.safetensors")
    assert list(weights) == ["weight"], "numbers that are no weights are left alone"
    assert (weights["weight"] == np.arange(6).reshape(2, 3)).all()


def test_a_model_of_the_published_kind_fits(tmp_path: Path) -> None:
    assert check_fit(saved(tmp_path / "model"))["hidden_size"] == 8


@pytest.mark.parametrize(
    ("config", "modules", "pooling", "reason"),
    [
        (CONFIG | {"model_type": "mpnet"}, MODULES, POOLING, "mpnet with gelu, not bert"),
        (CONFIG | {"hidden_act": "relu"}, MODULES, POOLING, "bert with relu"),
        (CONFIG, MODULES[:2], POOLING, "its modules are Transformer, Pooling, not"),
        (CONFIG, MODULES, {"pooling_mode_cls_token": True}, "not pool by the mean"),
        (CONFIG, MODULES, POOLING | {"pooling_mode_max_tokens": True}, "not pool by the mean"),
        (CONFIG, MODULES, {"pooling_mode": "cls"}, "not pool by the mean"),
        (CONFIG | {"position_embedding_type": "relative_key"}, MODULES, POOLING, "relative_key"),
    ],
)
def test_another_kind_is_told_apart(
    tmp_path: Path,
    config: Mapping[str, object],
    modules: object,
    pooling: Mapping[str, object],
    reason: str,
) -> None:
    folder = saved(tmp_path / "model", config, modules, pooling)
    with pytest.raises(ModelUnfit, match=reason):
        check_fit(folder)


def test_newer_files_say_it_in_one_word(tmp_path: Path) -> None:
    check_fit(saved(tmp_path / "model", pooling={"pooling_mode": "mean", "include_prompt": True}))
