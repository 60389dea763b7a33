"""A prompt for each feature: one that asks for it, beside one that is the same but for it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from penstock_sidecar.dialects.features import Feature
from penstock_sidecar.dialects.prompt import (
    Audio,
    File,
    Format,
    Image,
    Part,
    Prompt,
    Reasoning,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from penstock_sidecar.dialects.signatures import of_google

SCHEMA: Final = {
    "type": "object",
    "properties": {"town": {"type": "string"}},
    "required": ["town"],
    "additionalProperties": False,
}
TOOL: Final = Tool("weather", "Of a town.", SCHEMA, where="tools[0]")
DATA: Final = Image("AAAA", "image/png", where="image")
GOOGLES: Final = Thought("Hm", of_google("c2ln"), where="thought")
ANTHROPICS: Final = Thought("Hm", "c2ln", where="thought")
BARE: Final = Prompt((Turn("user", (Text("Hi"),)),), max_output_tokens=20_000)
Change = Callable[[Prompt], Prompt]


def _also(*parts: Part) -> Change:
    """The user says that too, at the end."""
    return lambda prompt: replace(prompt, turns=(*prompt.turns, Turn("user", parts)))


def _answered(*parts: Part) -> Change:
    """There was an answer before."""
    turns = (Turn("user", (Text("Hi"),)), Turn("assistant", (*parts, Text("Yes?"))))
    return lambda prompt: replace(prompt, turns=(*turns, *prompt.turns))


def _called(*told: Text | Image | File, failed: bool = False) -> Change:
    """A tool was called before."""
    turns = (
        Turn("user", (Text("Hi"),)),
        Turn("assistant", (ToolCall("c1", "weather", "{}", where="call"),)),
        Turn("user", (ToolResult("c1", told, "weather", failed=failed, where="result"),)),
        Turn("assistant", (Text("So it is."),)),
    )
    return lambda prompt: replace(prompt, turns=(*turns, *prompt.turns))


def _late(prompt: Prompt) -> Prompt:
    late = Turn("system", (Text("Be brief."),), "system")
    return replace(prompt, turns=(*prompt.turns, late, Turn("user", (Text("Go on."),))))


def _said(prompt: Prompt) -> Prompt:
    return replace(prompt, turns=(*prompt.turns, Turn("user", (Text("Go on."),))))


def _sampled(**fields: Any) -> Change:
    return lambda prompt: replace(prompt, sampling=replace(prompt.sampling, **fields))


def _with(**fields: Any) -> Change:
    return lambda prompt: replace(prompt, **fields)


def _choosing(**fields: Any) -> Change:
    """Tools are there already."""

    def change(prompt: Prompt) -> Prompt:
        tools = prompt.tools or (TOOL,)
        return replace(prompt, tools=tools, tool_choice=replace(prompt.tool_choice, **fields))

    return change


def _same(prompt: Prompt) -> Prompt:
    return prompt


def asked(feature: Feature, type_: str) -> Prompt:
    """For a provider of this type, whose own signatures differ from others'."""
    return add(BARE, feature, type_)


def not_asked(feature: Feature) -> Prompt:
    return _WITHOUT.get(feature, _same)(BARE)


def add(prompt: Prompt, feature: Feature, type_: str) -> Prompt:
    if feature is Feature.SIGNED_THOUGHTS:
        return _answered(GOOGLES if type_ == "gemini" else ANTHROPICS)(prompt)
    return _WITH[feature](prompt)


_WITH: Final[Mapping[Feature, Change]] = {
    Feature.IMAGE_DATA: _also(DATA),
    Feature.IMAGE_URL: _also(Image(url="https://example.com/a.png", where="image")),
    Feature.IMAGE_DETAIL: _also(replace(DATA, detail="low")),
    Feature.AUDIO: _also(Audio("AAAA", "wav", "audio")),
    Feature.FILE_DATA: _also(File("AAAA", "application/pdf", name="a.pdf", where="file")),
    Feature.FILE_URL: _also(File(url="https://example.com/a.pdf", where="file")),
    Feature.LATE_SYSTEM: _late,
    Feature.THOUGHTS: _answered(Thought("Hm", where="thought")),
    Feature.RESULT_IMAGES: _called(Text("Sun"), DATA),
    Feature.RESULT_FAILED: _called(Text("Sun"), failed=True),
    Feature.TOOLS: _choosing(),
    Feature.STRICT_TOOLS: _with(tools=(replace(TOOL, strict=True),)),
    Feature.TOOL_REQUIRED: _choosing(mode="required"),
    Feature.TOOL_NAMED: _choosing(mode="one", name="weather"),
    Feature.ONE_CALL: _choosing(parallel=False),
    Feature.JSON: _with(format=Format()),
    Feature.SCHEMA: _with(format=Format(SCHEMA)),
    Feature.CHOICES: _sampled(choices=2),
    Feature.LOGPROBS: _sampled(logprobs=True, top_logprobs=2),
    Feature.LOGIT_BIAS: _sampled(logit_bias={"5": 1}),
    Feature.STOP: _sampled(stop=("END",)),
    Feature.TEMPERATURE: _sampled(temperature=0.5),
    Feature.TOP_P: _sampled(top_p=0.5),
    Feature.TOP_K: _sampled(top_k=5),
    Feature.MIN_P: _sampled(min_p=0.1),
    Feature.SEED: _sampled(seed=1),
    Feature.FREQUENCY_PENALTY: _sampled(frequency_penalty=0.5),
    Feature.PRESENCE_PENALTY: _sampled(presence_penalty=0.5),
    Feature.REPETITION_PENALTY: _sampled(repetition_penalty=1.1),
    Feature.EFFORT: _with(reasoning=Reasoning("high")),
    Feature.REASONING_TOKENS: _with(reasoning=Reasoning(budget_tokens=2_048)),
    Feature.USER: _with(user="ada"),
}
_WITHOUT: Final[Mapping[Feature, Change]] = {
    Feature.IMAGE_DETAIL: _also(DATA),
    Feature.LATE_SYSTEM: _said,
    Feature.THOUGHTS: _answered(),
    Feature.SIGNED_THOUGHTS: _answered(),
    Feature.RESULT_IMAGES: _called(Text("Sun")),
    Feature.RESULT_FAILED: _called(Text("Sun")),
    Feature.STRICT_TOOLS: _with(tools=(TOOL,)),
    Feature.TOOL_REQUIRED: _choosing(),
    Feature.TOOL_NAMED: _choosing(),
    Feature.ONE_CALL: _choosing(),
}
