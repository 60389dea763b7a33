"""A model of a few hundred weights, in files as sentence-transformers saves them."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from penstock_embedder.index.vector import Rows

CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "layer_norm_eps": 1e-12,
}
MODULES = [
    {"path": "", "type": "sentence_transformers.models.Transformer"},
    {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]
POOLING = {"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True}


def saved(
    folder: Path,
    config: Mapping[str, object] = CONFIG,
    modules: object = MODULES,
    pooling: Mapping[str, object] = POOLING,
) -> Path:
    """The folder; its one tensor is named `weight`."""
    (folder / "1_Pooling").mkdir(parents=True)
    for name, content in (
        ("config.json", config),
        ("modules.json", modules),
        ("sentence_bert_config.json", {"max_seq_length": 256}),
        ("1_Pooling/config.json", pooling),
        ("tokenizer.json", {}),
    ):
        (folder / name).write_text(json.dumps(content))
    write_weights(folder / "model.safetensors", np.arange(6, dtype=np.float32).reshape(2, 3))
    return folder


def write_weights(path: Path, tensor: Rows) -> None:
    entry = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [0, tensor.nbytes]}
    other = {"dtype": "I64", "shape": [0], "data_offsets": [tensor.nbytes, tensor.nbytes]}
    header = json.dumps({"__metadata__": {"format": "pt"}, "weight": entry, "ids": other}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + tensor.tobytes())
