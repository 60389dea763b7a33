"""What the caller calls a message of a request that a session went before."""

import re
from typing import Final

from penstock_sidecar.errors import SidecarError
from penstock_sidecar.model import Request

MESSAGE: Final = re.compile(r"\bmessages\[(\d{1,6})\]([\w.\[\]]*)")
SESSION: Final = "x-penstock-session"


def without_history(error: SidecarError, request: Request) -> None:
    """Counts the caller's own messages alone; the others came with the session."""
    remembered = request.remembered
    if remembered is None:
        return
    first, items = remembered.first, remembered.items

    def own(path: re.Match[str]) -> str:
        index = int(path[1])
        if first <= index < first + items:
            return SESSION
        return f"messages[{index if index < first else index - items}]{path[2]}"

    error.public = MESSAGE.sub(own, error.public)
    error.param = MESSAGE.sub(own, error.param) if error.param else error.param
