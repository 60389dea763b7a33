"""From caller to provider in the same dialect: the caller's own bytes but for the model's name."""

from typing import Final

import orjson

from penstock_sidecar.dialects.dialect import Ask, Passage
from penstock_sidecar.dialects.embeddings.skim import parse_without_numbers
from penstock_sidecar.model import Request


def renamed_body(request: Request, ask: Ask) -> bytes:
    """The caller's bytes where nothing differs."""
    dropped = ask.quirks.drops & request.document.keys()
    if request.model == ask.model and not dropped:
        return request.body
    kept = {name: value for name, value in request.document.items() if name not in dropped}
    return orjson.dumps({**kept, "model": ask.model})


PASSAGE: Final = Passage(renamed_body, parse=parse_without_numbers)
