"""Prompts that have little to spare: plain talk, and questions about code."""

import re
from pathlib import Path
from typing import Final

from tests.eval.cache.prompts.prompt import Message, Prompt, unmarked

CHATS: Final = Path(__file__).with_name("chats.txt")
CODE: Final = Path(__file__).with_name("code.txt")
FENCE: Final = "```"
_TURN: Final = re.compile(r"^(system|user|assistant): ", re.MULTILINE)


def chats() -> list[Prompt]:
    """Those of `chats.txt`: a turn begins with its role, and may have several lines."""
    made = []
    for name, text in _parts(CHATS):
        plain, facts = unmarked(text)
        _, *turns = _TURN.split(plain)
        messages: list[Message] = [
            {"role": role, "content": said.rstrip("\n")}
            for role, said in zip(turns[::2], turns[1::2], strict=True)
        ]
        made.append(Prompt("chat", name, messages, facts))
    return made


def code() -> list[Prompt]:
    """Those of `code.txt`, each as the last turn and as one before it."""
    made = []
    for name, text in _parts(CODE):
        block = text[text.index(FENCE) :]
        asked: Message = {"role": "user", "content": text}
        later: list[Message] = [
            {"role": "assistant", "content": "Which version do you use?"},
            {"role": "user", "content": "The newest one. Show me the whole of it, mended."},
        ]
        made.append(Prompt("code", f"{name}, last", [asked], (block,)))
        made.append(Prompt("code", f"{name}, before", [asked, *later], (block,)))
    return made


def _parts(path: Path) -> list[tuple[str, str]]:
    parts = path.read_text("utf-8").split("=== ")[1:]
    named = (part.split("\n", 1) for part in parts)
    return [(name, text.strip()) for name, text in named]
