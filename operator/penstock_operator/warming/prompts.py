"""A ConfigMap's text into prompts: one a line, or a chat request as JSON on a line of its own."""

import json
from dataclasses import dataclass, field

from penstock_config.cache_layout import MAX_WARMING, PROMPT, REQUEST

Entry = tuple[str, bytes]
"""`PROMPT` or `REQUEST`, and its UTF-8 text."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """What a text holds."""

    entries: tuple[Entry, ...] = field(default=(), repr=False)
    """At most `MAX_WARMING`, in their order."""
    unreadable: tuple[int, ...] = ()
    """Lines, from 1 on, that begin a request and are none."""
    left_out: int = 0
    """How many more there were."""


def read_prompts(text: str) -> Prompts:
    """Empty lines are none. A line that begins with a brace is a request."""
    entries: list[Entry] = []
    unreadable = []
    for number, line in enumerate(text.split("\n"), 1):
        if not (bare := line.strip()):
            continue
        if (entry := _entry(bare)) is None:
            unreadable.append(number)
        else:
            entries.append(entry)
    kept = tuple(entries[:MAX_WARMING])
    return Prompts(kept, tuple(unreadable), len(entries) - len(kept))


def _entry(line: str) -> Entry | None:
    try:
        data = line.encode()
    except UnicodeEncodeError:  # half a character, which JSON can spell
        return None
    if not line.startswith("{"):
        return PROMPT, data
    return (REQUEST, data) if _is_request(line) else None


def _is_request(line: str) -> bool:
    """Whether it has messages; sidecars judge the rest."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):  # RecursionError: brackets without end
        return False
    messages = found.get("messages") if isinstance(found, dict) else None
    return isinstance(messages, list) and bool(messages)
