"""What happens in each column of the matrix, in no dialect's words: which question is asked (a file
in `asks/`), and how the provider behaves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from penstock_cli.stub import EMPTY, Behaviour, Broken, Ok, Status, Tokens, ToolCall

ANSWER: Final = Ok("All is well.", usage=Tokens(7, 3))
THOUGHTFUL: Final = Ok("All is well.", usage=Tokens(20, 9, reasoning=4), reasoning="Let me see.")
COUNTED: Final = Ok("All is well.", usage=Tokens(20, 9, cached=8, reasoning=4))
JSON: Final = Ok('{"town": "Ulm"}', usage=Tokens(7, 3))
CALLS: Final = Ok(
    "Two towns.",
    usage=Tokens(7, 3),
    tool_calls=(
        ToolCall("weather", '{"town":"Ulm"}', "call_one"),
        ToolCall("weather", '{"town":"Bern"}', "call_two"),
    ),
)
LENGTH: Final = Ok("All is", usage=Tokens(7, 2), finish="length")
FILTERS: Final[Mapping[str, str]] = {
    "openai": "content_filter",
    "anthropic": "refusal",
    "gemini": "SAFETY",
}
"""How each dialect says that the provider stopped the answer. Ollama refuses nothing."""
SECOND_WORD: Final[Mapping[str, int]] = {"openai": 3, "anthropic": 5, "gemini": 2, "ollama": 2}
"""Which piece of each dialect's stream holds it."""
Script = Callable[[str], Behaviour | None]
"""What a provider of a dialect does; `None` is what it cannot do."""


@dataclass(frozen=True, slots=True)
class Scene:
    """`stream` is `False` or `True`; `usage` says that the caller asks for it in his stream."""

    name: str
    ask: str
    script: Script
    stream: bool = False
    usage: bool = False
    answered: str = ""
    """The name of the expected answer, where another scene has the same."""

    @property
    def answer(self) -> str:
        return self.answered or self.name


def _does(behaviour: Behaviour) -> Script:
    return lambda _dialect: behaviour


def _filtered(dialect: str) -> Behaviour | None:
    finish = FILTERS.get(dialect)
    return Ok("I can", usage=Tokens(7, 2), finish=finish) if finish else None


def _stopped(dialect: str) -> Behaviour | None:
    """Anthropic alone says which stop sequence ended an answer."""
    if dialect != "anthropic":
        return None
    return Ok("All is", usage=Tokens(7, 2), finish="stop_sequence")


def _cut(dialect: str) -> Behaviour:
    return Broken("close", SECOND_WORD[dialect], ANSWER)


def _both(name: str, ask: str, script: Script) -> tuple[Scene, Scene]:
    return Scene(name, ask, script), Scene(f"{name}-streamed", ask, script, stream=True)


def _error(code: int) -> tuple[Scene, Scene]:
    """Nothing has been streamed yet: both are answered alike."""
    script = _does(Status(code, retry_after="7" if code == 429 else None))
    name = f"error-{code}"
    return (
        Scene(name, "plain", script),
        Scene(f"{name}-streamed", "plain", script, stream=True, answered=name),
    )


SCENES: Final = (
    *_both("plain", "plain", _does(ANSWER)),
    *_both("tools", "tools", _does(CALLS)),
    Scene("image", "image", _does(ANSWER), answered="plain"),
    Scene("image-url", "image-url", _does(ANSWER)),
    *_both("schema", "schema", _does(JSON)),
    *_both("thinking", "thinking", _does(THOUGHTFUL)),
    *_both("length", "plain", _does(LENGTH)),
    *_both("filtered", "plain", _filtered),
    *_both("stop-sequence", "plain", _stopped),
    Scene("usage", "plain", _does(COUNTED)),
    Scene("usage-streamed", "plain", _does(COUNTED), stream=True, usage=True),
    *(scene for code in (400, 401, 429, 500, 529) for scene in _error(code)),
    Scene("empty", "plain", _does(EMPTY)),
    Scene("empty-streamed", "plain", _does(EMPTY), stream=True),
    Scene("cut", "plain", _cut),
    Scene("cut-streamed", "plain", _cut, stream=True),
)
