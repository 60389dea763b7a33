"""Which of a conversation's older turns go along: whole ones, and the same ones for a while.

What is left out moves on in steps of half the bound, so that a provider's cache of the beginning
holds for many requests. A turn begins where the user speaks; instructions stay, and count for
nothing.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from penstock_sidecar.compression.texts import OUTPUTS, VOICES, last_user_message, texts_of
from penstock_sidecar.metering.estimate import BYTES_PER_TOKEN
from penstock_sidecar.model import Api, JsonObject


def older_messages(
    api: Api, document: JsonObject, messages: Sequence[object], max_tokens: int
) -> frozenset[int]:
    """The places of those that are left out."""
    starts = _turns(api, document, messages)
    if not starts:
        return frozenset()
    tokens = [0] * (len(messages) + 1)
    for text in texts_of(api, document):
        if text.voice != "instructions":
            tokens[text.message] += len(text.text.encode()) // BYTES_PER_TOKEN
    former = sum(tokens[starts[0] : starts[-1]])
    cut = _cut(starts, tokens, former - max_tokens, max(1, max_tokens // 2))
    return frozenset(p for p in range(starts[0], cut) if not _instructs(messages[p]))


def _cut(starts: Sequence[int], tokens: Sequence[int], over: int, step: int) -> int:
    """Where the first turn begins that stays."""
    wanted = -(-over // step) * step if over > 0 else 0
    gone, cut = 0, starts[0]
    for begin, end in pairwise(starts):
        if gone >= wanted:
            break
        gone += sum(tokens[begin:end])
        cut = end
    return cut


def _turns(api: Api, document: JsonObject, messages: Sequence[object]) -> Sequence[int]:
    """Where the user speaks, up to the last time. What tools gave is no turn of its own: a call and
    its output stay together."""
    spoken = {text.message for text in texts_of(api, document) if text.voice == "user"}
    last = last_user_message(list(texts_of(api, document)))
    return [
        index
        for index, message in enumerate(messages)
        if index <= last and index in spoken and not _answers_a_tool(message)
    ]


def _instructs(message: object) -> bool:
    return isinstance(message, Mapping) and VOICES.get(str(message.get("role"))) == "instructions"


def _answers_a_tool(message: object) -> bool:
    if not isinstance(message, Mapping):
        return False
    if str(message.get("type")) in OUTPUTS or VOICES.get(str(message.get("role"))) == "tool":
        return True
    content = message.get("content")
    parts = content if isinstance(content, list) else ()
    return any(isinstance(p, Mapping) and p.get("type") == "tool_result" for p in parts)
