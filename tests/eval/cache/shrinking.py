"""What compression saves of each prompt, and which facts it loses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from penstock_config.compression import Compression
from penstock_sidecar.compression.shorten import shortened
from tests.eval.cache.prompts import conversations, retrieval, tools
from tests.eval.cache.prompts.prompt import Kind, Message, Prompt, pieces, text_of

ALL_ON: Final = Compression(
    whitespace=True, duplicates=True, boilerplate=True, tool_outputs=True, include_last_turn=True
)
LAST_TURN_KEPT: Final = ALL_ON.model_copy(update={"include_last_turn": False})
LEAST_SAVED: Final = 0.30
"""Of the tokens of prompts with retrieved passages, and of those with tools' outputs."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """One prompt, before and after."""

    prompt: Prompt
    pieces: tuple[int, int]
    size_bytes: tuple[int, int]
    missing: Sequence[str]
    """Facts."""

    @property
    def saved(self) -> float:
        """Of the tokens."""
        return 1 - self.pieces[1] / self.pieces[0]


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """Of the prompts of one kind."""

    prompts: Sequence[Shrunk]

    @property
    def saved(self) -> float:
        """Of all their tokens together."""
        return _saved(each.pieces for each in self.prompts)

    @property
    def saved_bytes(self) -> float:
        return _saved(each.size_bytes for each in self.prompts)

    @property
    def facts(self) -> int:
        return sum(len(each.prompt.facts) for each in self.prompts)

    @property
    def missing(self) -> int:
        return sum(len(each.missing) for each in self.prompts)


def prompts() -> list[Prompt]:
    """All kinds of them."""
    return [
        *retrieval.prompts(),
        *tools.prompts(),
        *conversations.chats(),
        *conversations.code(),
    ]


def shrunk(prompt: Prompt, rules: Compression = ALL_ON) -> Shrunk:
    """By the sidecar's own code."""
    found = shortened("openai-chat", {"model": "fast", "messages": list(prompt.messages)}, rules)
    messages = _messages(found.document["messages"]) if found else prompt.messages
    return Shrunk(
        prompt,
        (_pieces(prompt.messages), _pieces(messages)),
        (len(orjson.dumps(prompt.messages)), len(orjson.dumps(messages))),
        prompt.missing(messages),
    )


def shrinkage(kind: Kind, rules: Compression = ALL_ON) -> Shrinkage:
    """Of all prompts of a kind."""
    return Shrinkage([shrunk(prompt, rules) for prompt in prompts() if prompt.kind == kind])


def _messages(value: object) -> Sequence[Message]:
    if not isinstance(value, list):
        raise TypeError(f"messages are {type(value).__name__}")
    return value


def _pieces(messages: Sequence[Message]) -> int:
    return sum(pieces(text_of(message)) for message in messages)


def _saved(amounts: Iterable[tuple[int, int]]) -> float:
    every = list(amounts)
    return 1 - sum(after for _, after in every) / sum(before for before, _ in every)
