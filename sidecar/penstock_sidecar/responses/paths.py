"""What the caller calls an item of a request that goes on from a former response."""

import re
from typing import Final

from penstock_sidecar.errors import SidecarError
from penstock_sidecar.model import Request
from penstock_sidecar.normalise.openai_responses import FORMER

ITEM: Final = re.compile(r"\binput\[(\d{1,6})\]([\w.\[\]]*)")


def in_own_words(error: SidecarError, request: Request) -> None:
    """Counts from the caller's own first item; those before it came with the response's id."""
    if request.resumed is None:
        return
    former = request.resumed.items

    def own(path: re.Match[str]) -> str:
        index = int(path[1]) - former
        return FORMER if index < 0 else f"input[{index}]{path[2]}"

    error.public = ITEM.sub(own, error.public)
    error.param = ITEM.sub(own, error.param) if error.param else error.param
