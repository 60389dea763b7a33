"""A group's `models.json`: what its loader is to pull, make and load."""

import posixpath
from collections.abc import Mapping
from typing import Final

from penstock_operator.api.llm_provider import LLMProvider, LLMProviderSpec
from penstock_operator.api.ollama import Modelfile, OllamaModel
from penstock_operator.ollama.memory.names import tagged
from penstock_operator.ollama.models_file import CreateRequest, ModelOrder, ModelsFile
from penstock_operator.ollama.one_server import as_served, is_path
from penstock_operator.ollama.planner.types import Group, Need
from penstock_operator.ollama.workload.environment import MODELS_DIRECTORY

CONTEXT: Final = "num_ctx"
GGUF_DIRECTORY: Final = "/gguf"
GENERATING: Final = frozenset({"chat", "completions"})


def models_file(provider: LLMProvider, group: Group, needs: Mapping[str, Need]) -> ModelsFile:
    """Loaded first what is loaded from the beginning, and of it the largest: beside others Ollama
    loads only what takes 80 % of the memory that is left."""
    ollama = provider.spec.ollama
    assert ollama is not None  # noqa: S101  # there is a group of it
    orders = [
        _order(model, group, embeddings=tagged(model.name) in embedders(provider.spec))
        for model in as_served(ollama)
        if model.name in group.models
    ]
    orders.sort(key=lambda order: (not order.loaded, -needs[order.name].total_mib(), order.name))
    return ModelsFile(models=tuple(orders), keep_alive_seconds=ollama.keep_alive_seconds)


def embedders(spec: LLMProviderSpec) -> frozenset[str]:
    """Ollama's names, with their tags, of the models that make vectors, and no text."""
    return frozenset(
        tagged(model.upstream_name or model.name)
        for model in spec.models
        if "embeddings" in model.capabilities and not GENERATING & {*model.capabilities}
    )


def mount_of(claim: str) -> str:
    """Where a volume with GGUF files is found."""
    return f"{GGUF_DIRECTORY}/{claim}"


def _order(model: OllamaModel, group: Group, *, embeddings: bool) -> ModelOrder:
    return ModelOrder(
        name=model.name,
        source=model.source,
        create=_created(model),
        loaded=model.name in group.loaded,
        embeddings=embeddings,
        on_gpu=bool(group.resources),
        context_length=model.context_length,
    )


def _created(model: OllamaModel) -> CreateRequest | None:
    context = (CONTEXT, str(model.context_length))  # it was reckoned with, whatever else is said
    if model.modelfile is not None:
        return _from_modelfile(model.modelfile, context)
    if model.gguf is not None:
        path = inside(mount_of(model.gguf.claim_name), model.gguf.path)
        return CreateRequest(gguf_path=path, parameters=(context,))
    return None


def _from_modelfile(modelfile: Modelfile, context: tuple[str, str]) -> CreateRequest:
    others = ((each.name, each.value) for each in modelfile.parameters if each.name != CONTEXT)
    path = is_path(modelfile.from_)
    return CreateRequest(
        from_=None if path else modelfile.from_,
        gguf_path=inside(MODELS_DIRECTORY, modelfile.from_) if path else None,
        adapter_path=inside(MODELS_DIRECTORY, modelfile.adapter) if modelfile.adapter else None,
        parameters=(*others, context),
        system=modelfile.system,
        template=modelfile.template,
    )


def inside(directory: str, path: str) -> str:
    """Never outside of the directory, and the same if it begins with it."""
    relative = posixpath.normpath("/" + path.removeprefix(directory + "/")).lstrip("/")
    return f"{directory}/{relative}"
