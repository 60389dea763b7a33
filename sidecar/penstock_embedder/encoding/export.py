"""A folder that holds all that serving by onnxruntime needs, and nothing else."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from penstock_embedder.encoding.files import EXPORTED_NATURE, GRAPH, TOKENISER, nature_of
from penstock_embedder.encoding.graph import build
from penstock_embedder.errors import ModelMissing, ModelUnfit


def export(model: Path, folder: Path) -> None:
    """Writes the graph and what goes with it. Raises `ModelMissing` where it cannot be made."""
    try:
        graph = build(model)
    except ModelUnfit as unfit:
        msg = f"the model in {model} cannot be exported: {unfit}"
        raise ModelMissing(msg) from None
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model / TOKENISER, folder / TOKENISER)
    (folder / EXPORTED_NATURE).write_text(json.dumps(asdict(nature_of(model))), "utf-8")
    (folder / GRAPH).write_bytes(graph)
