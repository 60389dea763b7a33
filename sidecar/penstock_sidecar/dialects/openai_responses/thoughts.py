"""What other providers want back with a thought, kept in an item's `encrypted_content`.

Clients send that field back as it came. A prefix says that it is ours: OpenAI would answer it with
an error, and what OpenAI encrypted means nothing to others.
"""

import base64
from typing import Final

import orjson

from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.fields import objects_of, string_of
from penstock_sidecar.dialects.prompt import Thought
from penstock_sidecar.model import JsonObject

OURS: Final = "penstock:"


def sealed(signature: str | None, redacted: str | None) -> str:
    """Also for a thought without either: the prefix alone tells whose it is."""
    found = {"signature": signature, "redacted": redacted}
    said = {name: value for name, value in found.items() if value}
    return OURS + base64.b64encode(orjson.dumps(said)).decode()


def is_ours(item: object) -> bool:
    """A reasoning item that was written here."""
    match item:
        case {"type": "reasoning", "encrypted_content": str(content)}:
            return content.startswith(OURS)
        case _:
            return False


def read_thought(item: JsonObject, where: str) -> Thought | None:
    """None for what only OpenAI can read."""
    kept = _opened(string_of(item.get("encrypted_content")))
    pieces = [part for name in ("summary", "content") for _, part in objects_of(item.get(name))]
    text = "\n".join(string_of(part.get("text")) for part in pieces)
    signature, redacted = string_of(kept.get("signature")), string_of(kept.get("redacted"))
    if not (text or signature or redacted):
        return None
    return Thought(text, signature or None, redacted or None, where)


def _opened(content: str) -> JsonObject:
    if not content.startswith(OURS):
        return {}
    try:
        found = parse(base64.b64decode(content.removeprefix(OURS)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
