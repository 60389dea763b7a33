"""What is asked of a model that makes embeddings, and what it answers. Pure."""

from collections.abc import Sequence
from typing import Final

import orjson

from penstock_sidecar.dialects.document import parse
from penstock_sidecar.errors import UpstreamGarbled
from penstock_sidecar.model import JsonObject, Request

MAX_CHARACTERS: Final = 4_000
"""Of each text: most models read 512 tokens or more, and its beginning says enough."""


def asking(request: Request, model: str, texts: Sequence[str]) -> Request:
    """Never printed: it holds answers."""
    document: JsonObject = {"model": model, "input": [text[:MAX_CHARACTERS] for text in texts]}
    return Request(
        call_id=request.call_id,
        model=model,
        stream=False,
        usage_wanted=False,
        body=orjson.dumps(document),
        document=document,
        headers={},
        api="openai-embeddings",
    )


def vectors(body: bytes, texts: int, label: str) -> list[list[float]]:
    """One for each text, all of one length. Raises `UpstreamGarbled`."""
    try:
        match parse(body):
            case {"data": list(data)} if len(data) == texts:
                found = sorted((_vector(each) for each in data), key=lambda pair: pair[0])
            case _:
                found = []
    except (ValueError, TypeError):
        found = []
    values = [each for _, each in found]
    if [index for index, _ in found] != list(range(texts)) or len(set(map(len, values))) != 1:
        raise UpstreamGarbled(f"{label} answered with vectors that cannot be compared")
    return values


def _vector(each: object) -> tuple[int, list[float]]:
    match each:
        case {"index": int(index), "embedding": list(values)} if values:
            return index, [float(value) for value in values]
        case _:
            msg = "no vector"
            raise ValueError(msg)
