"""What is added to a request whose former answer was empty."""

from typing import Final

import orjson

NUDGE: Final = "Your answer was empty. Please answer the message before this one."
NUDGE_MESSAGE: Final = {"role": "user", "content": NUDGE}
NUDGE_BYTES: Final = len(orjson.dumps(NUDGE_MESSAGE)) + 1
"""What it adds to a request, about, in every dialect."""
