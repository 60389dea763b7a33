"""What an Ollama's models get of it: some numbers hold for all that one server runs."""

from penstock_operator.api.ollama import Ollama, OllamaModel


def as_served(ollama: Ollama) -> tuple[OllamaModel, ...]:
    """The models, each with what it really gets, which its memory goes by.

    `OLLAMA_NUM_PARALLEL` and `OLLAMA_CONTEXT_LENGTH` are one for a server: the largest that any of
    its models is to have. Models that are made of a file have a context of their own; those that
    are made of a model share its weights in memory, and would take turns with another. Over all
    models of the provider, not of a group: who lies beside whom is not known yet.
    """
    parallel = max(model.parallel for model in ollama.models)
    context = max(
        (each.context_length for each in ollama.models if has_common_context(each)), default=0
    )
    return tuple(
        model.model_copy(
            update={
                "parallel": parallel,
                "context_length": context if has_common_context(model) else model.context_length,
            }
        )
        for model in ollama.models
    )


def has_common_context(model: OllamaModel) -> bool:
    """Whether it has the server's context, and not one of its own."""
    made_of_a_model = model.modelfile is not None and not is_path(model.modelfile.from_)
    return model.source == "pull" or made_of_a_model


def is_path(text: str) -> bool:
    """Of FROM. Models of Hugging Face may end in `:file.gguf`."""
    return text.startswith(("/", "./", "../")) or (text.endswith(".gguf") and ":" not in text)
