"""A BERT of sentence-transformers as a graph for onnxruntime: its weights in, one file out.

    ids, mask (batch, tokens) int64 -> vectors (batch, width) float32 of unit length

Built from the published layers (Devlin et al. 2018; mean pooling: Reimers and Gurevych 2019) and
onnxruntime's own operators for them, so that neither torch nor an exporter is needed, where the
model is kept or where it runs. That it decides as sentence-transformers does is a test's to show.
"""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from penstock_embedder.encoding.files import CONFIG, MODULES, WEIGHTS
from penstock_embedder.errors import ModelUnfit

Weights = Mapping[str, NDArray[np.float32]]
OPSET: Final = 17
IR_VERSION: Final = 8
CONTRIB: Final = "com.microsoft"
"""Whose operators onnxruntime has for transformers."""
LAYERS: Final = ("Transformer", "Pooling", "Normalize")


def read_weights(path: Path) -> Weights:
    """The float32 tensors of a safetensors file, each mapped from the file when it is used.

    Format: 8 bytes length, JSON header, data; see huggingface/safetensors' README.
    """
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    data = np.memmap(path, mode="r", offset=8 + length)
    found: dict[str, NDArray[np.float32]] = {}
    for name, tensor in header.items():
        if name != "__metadata__" and tensor["dtype"] == "F32":
            begin, end = tensor["data_offsets"]
            found[name] = data[begin:end].view(np.float32).reshape(tensor["shape"])
    return found


def check_fit(folder: Path) -> dict[str, Any]:
    """The model's `config.json`; `ModelUnfit` says what the graph below has no layer for."""
    config: dict[str, Any] = json.loads((folder / CONFIG).read_text("utf-8"))
    modules = json.loads((folder / MODULES).read_text("utf-8"))
    kinds = tuple(module["type"].rpartition(".")[2] for module in modules)
    if kinds != LAYERS:
        msg = f"its modules are {', '.join(kinds)}, not {', '.join(LAYERS)}"
        raise ModelUnfit(msg)
    pooling = json.loads((folder / modules[1]["path"] / "config.json").read_text("utf-8"))
    ways = {name: on for name, on in pooling.items() if name.startswith("pooling_mode") and on}
    if ways not in ({"pooling_mode_mean_tokens": True}, {"pooling_mode": "mean"}):
        msg = "it does not pool by the mean of the tokens"
        raise ModelUnfit(msg)
    if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
        msg = f"it is {config['model_type']} with {config['hidden_act']}, not bert with gelu"
        raise ModelUnfit(msg)
    if (places := config.get("position_embedding_type", "absolute")) != "absolute":
        msg = f"its places are {places}, not absolute"
        raise ModelUnfit(msg)
    return config


def build(folder: Path) -> bytes:
    """The graph of the model in this folder. Raises `ModelUnfit`."""
    return _Builder(check_fit(folder), read_weights(folder / WEIGHTS)).model()


class _Builder:
    """Puts nodes and weights together, layer by layer."""

    def __init__(self, config: Mapping[str, Any], weights: Weights) -> None:
        from onnx import ModelProto

        self._config = config
        self._weights = weights
        self._model = ModelProto(ir_version=IR_VERSION, producer_name="penstock")
        self._graph = self._model.graph
        self._known: set[str] = set()

    def model(self) -> bytes:
        from onnx import TensorProto, helper

        for domain, version in (("", OPSET), (CONTRIB, 1)):
            self._model.opset_import.add(domain=domain, version=version)
        self._graph.name = "encoder"
        for name in ("ids", "mask"):
            info = helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
            self._graph.input.append(info)
        width = int(self._config["hidden_size"])
        info = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", width])
        self._graph.output.append(info)
        last = self._pooled(self._layers(self._embedded()))
        self._node("Identity", [last], output="vectors")
        graph: bytes = self._model.SerializeToString()
        return graph

    def _embedded(self) -> str:
        """Words, places and the one type of segment; then normalised."""
        prefix = "embeddings."
        kind = self._weights[f"{prefix}token_type_embeddings.weight"][0]
        places = self._weights[f"{prefix}position_embeddings.weight"] + kind
        words = self._node("Gather", [self._weight(f"{prefix}word_embeddings.weight"), "ids"])
        shape = self._node("Shape", ["ids"], start=1, end=2)
        first, axis = (self._constant(n, np.array([0], np.int64)) for n in ("first", "rows"))
        here = self._node("Slice", [self._constant("places", places), first, shape, axis])
        summed = self._node("Add", [words, here])
        scale, shift = self._norm(f"{prefix}LayerNorm")
        return self._node("LayerNormalization", [summed, scale, shift], epsilon=self._epsilon)

    def _layers(self, x: str) -> str:
        mask = self._node("Cast", ["mask"], to=6)  # INT32
        for index in range(int(self._config["num_hidden_layers"])):
            prefix = f"encoder.layer.{index}."
            x = self._attended(x, mask, f"{prefix}attention.")
            x = self._fed(x, prefix)
        return x

    def _attended(self, x: str, mask: str, prefix: str) -> str:
        kinds = [f"{prefix}self.{kind}" for kind in ("query", "key", "value")]
        matrix = np.concatenate([self._weights[f"{k}.weight"].T for k in kinds], axis=1)
        bias = np.concatenate([self._weights[f"{k}.bias"] for k in kinds])
        inputs = [x, self._constant(f"{prefix}w", matrix), self._constant(f"{prefix}b", bias), mask]
        heads = int(self._config["num_attention_heads"])
        seen = self._node("Attention", inputs, domain=CONTRIB, num_heads=heads)
        return self._joined(seen, x, f"{prefix}output")

    def _fed(self, x: str, prefix: str) -> str:
        wide = self._node("MatMul", [x, self._turned(f"{prefix}intermediate.dense.weight")])
        bias = self._weight(f"{prefix}intermediate.dense.bias")
        bent = self._node("BiasGelu", [wide, bias], domain=CONTRIB)
        return self._joined(bent, x, f"{prefix}output")

    def _joined(self, found: str, x: str, prefix: str) -> str:
        """A dense layer, added to what went in, and normalised."""
        dense = self._node("MatMul", [found, self._turned(f"{prefix}.dense.weight")])
        inputs = [
            dense,
            x,
            *self._norm(f"{prefix}.LayerNorm"),
            self._weight(f"{prefix}.dense.bias"),
        ]
        return self._node("SkipLayerNormalization", inputs, domain=CONTRIB, epsilon=self._epsilon)

    def _pooled(self, x: str) -> str:
        """The mean of the tokens that are there, as a unit vector."""
        there = self._node("Cast", ["mask"], to=1)  # FLOAT
        last = self._constant("last", np.array([2], np.int64))
        there = self._node("Unsqueeze", [there, last])
        tokens = self._constant("tokens_axis", np.array([1], np.int64))
        total = self._node("ReduceSum", [self._node("Mul", [x, there]), tokens], keepdims=0)
        return self._node("LpNormalization", [total], axis=1, p=2)

    def _norm(self, prefix: str) -> tuple[str, str]:
        return self._weight(f"{prefix}.weight"), self._weight(f"{prefix}.bias")

    @property
    def _epsilon(self) -> float:
        return float(self._config["layer_norm_eps"])

    def _weight(self, name: str) -> str:
        return self._constant(name, self._weights[name])

    def _turned(self, name: str) -> str:
        return self._constant(name, self._weights[name].T)

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        """Written into the graph at once: of 90 MB no second copy is held."""
        from onnx import helper

        if name not in self._known:
            self._known.add(name)
            self._graph.initializer.add(
                name=name,
                dims=value.shape,
                data_type=helper.np_dtype_to_tensor_dtype(value.dtype),
                raw_data=np.ascontiguousarray(value).tobytes(),
            )
        return name

    def _node(
        self, kind: str, inputs: list[str], domain: str = "", output: str = "", **attributes: Any
    ) -> str:
        """Its output's name."""
        from onnx import helper

        name = output or f"{kind}_{len(self._graph.node)}"
        made = helper.make_node(kind, inputs, [name], name=name, domain=domain, **attributes)
        self._graph.node.append(made)
        return name
