"""Which completions are fit to be kept."""

from collections.abc import Mapping

from penstock_sidecar.model import JsonObject, Request


def is_whole(document: JsonObject, request: Request) -> bool:
    """With usage and every choice that was asked for, each at its own end."""
    choices = document.get("choices")
    return (
        isinstance(choices, list)
        and not document.get("error")
        and isinstance(document.get("usage"), Mapping)
        and [_index_of_whole(choice) for choice in choices] == list(range(_wanted(request)))
    )


def _wanted(request: Request) -> int:
    """`best_of` are made for each prompt, and `n` of them come back."""
    n, made = (request.document.get(name) for name in ("n", "best_of"))
    if not isinstance(made, int):
        return request.choices
    return request.choices // made * (n if isinstance(n, int) else 1)


def _index_of_whole(choice: object) -> object:
    """None for one that is not."""
    if not isinstance(choice, Mapping) or not isinstance(choice.get("logprobs"), Mapping | None):
        return None
    match choice:
        case {"text": str(text), "finish_reason": "stop", "index": int(index)} if text.strip():
            return index
        case _:
            return None
