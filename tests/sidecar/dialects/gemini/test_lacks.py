"""What Gemini lacks: the table says what is not heard."""

from typing import Any

import pytest

from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.features import Feature, features_of
from penstock_sidecar.dialects.gemini.write import LACKS, write_chat
from penstock_sidecar.dialects.prompt import (
    Audio,
    File,
    Format,
    Image,
    Part,
    Prompt,
    Reasoning,
    Sampling,
    Text,
    Thought,
    Tool,
    ToolChoice,
    ToolResult,
    Turn,
)
from penstock_sidecar.dialects.signatures import of_google
from tests.sidecar.dialects.gemini.requests import NEWEST, SCHEMA


def changed(**fields: Any) -> Prompt:
    return Prompt(**{"turns": (SAID,), "tools": (Tool("f", None, {}),), **fields})


def heard(*parts: Part) -> Prompt:
    return changed(turns=(Turn("user", (Text("Hi"), *parts)),))


SAID = Turn("user", (Text("Hi"),))
ASKING: dict[Feature, Prompt] = {
    Feature.IMAGE_DATA: heard(Image("AAAA", "image/png")),
    Feature.IMAGE_URL: heard(Image(url="https://x.example/y.png")),
    Feature.IMAGE_DETAIL: heard(Image("AAAA", "image/png", detail="low")),
    Feature.AUDIO: heard(Audio("AAAA", "mp3")),
    Feature.FILE_DATA: heard(File("AAAA", "application/pdf")),
    Feature.FILE_URL: heard(File(url="https://x.example/y.pdf")),
    Feature.LATE_SYSTEM: changed(turns=(SAID, Turn("system", (Text("Be brief."),)))),
    Feature.THOUGHTS: heard(Thought("Hm.")),
    Feature.SIGNED_THOUGHTS: heard(Thought("Hm.", of_google("c2ln"))),
    Feature.RESULT_IMAGES: heard(ToolResult("a", (Image("AAAA", "image/png"),), "f")),
    Feature.RESULT_FAILED: heard(ToolResult("a", (), "f", failed=True)),
    Feature.TOOLS: changed(),
    Feature.STRICT_TOOLS: changed(tools=(Tool("f", None, {}, strict=True),)),
    Feature.TOOL_REQUIRED: changed(tool_choice=ToolChoice("required")),
    Feature.TOOL_NAMED: changed(tool_choice=ToolChoice("one", "f")),
    Feature.ONE_CALL: changed(tool_choice=ToolChoice(parallel=False)),
    Feature.JSON: changed(format=Format()),
    Feature.SCHEMA: changed(format=Format(SCHEMA)),
    Feature.CHOICES: changed(sampling=Sampling(choices=2)),
    Feature.LOGPROBS: changed(sampling=Sampling(logprobs=True)),
    Feature.LOGIT_BIAS: changed(sampling=Sampling(logit_bias={"1": 5})),
    Feature.STOP: changed(sampling=Sampling(stop=("END",))),
    Feature.TEMPERATURE: changed(sampling=Sampling(temperature=0)),
    Feature.TOP_P: changed(sampling=Sampling(top_p=0)),
    Feature.TOP_K: changed(sampling=Sampling(top_k=1)),
    Feature.MIN_P: changed(sampling=Sampling(min_p=0.1)),
    Feature.SEED: changed(sampling=Sampling(seed=0)),
    Feature.FREQUENCY_PENALTY: changed(sampling=Sampling(frequency_penalty=1)),
    Feature.PRESENCE_PENALTY: changed(sampling=Sampling(presence_penalty=1)),
    Feature.REPETITION_PENALTY: changed(sampling=Sampling(repetition_penalty=1.1)),
    Feature.EFFORT: changed(reasoning=Reasoning("low")),
    Feature.REASONING_TOKENS: changed(reasoning=Reasoning(budget_tokens=2_048)),
    Feature.USER: changed(user="ann"),
}
WITHOUT: dict[Feature, Prompt] = {
    Feature.TOOLS: changed(tools=()),
    Feature.IMAGE_DETAIL: heard(Image("AAAA", "image/png")),
    Feature.RESULT_IMAGES: heard(ToolResult("a", (), "f")),
    Feature.RESULT_FAILED: heard(ToolResult("a", (), "f")),
}
"""What is compared with, where that is more than a word and a tool."""


OF_EMBEDDINGS = {
    Feature.COUNTED,
    Feature.DIMENSIONS,
    Feature.TASK,
    Feature.CUT,
    Feature.UNCUT,
}


@pytest.mark.parametrize("feature", ASKING)
def test_a_feature_is_heard_unless_the_table_says_it_is_not(feature: Feature) -> None:
    asking, ask = ASKING[feature], Ask(NEWEST, False, None, reasons=True)
    assert feature in {found for found, _ in features_of(asking)}
    plain = write_chat(WITHOUT.get(feature, changed()), ask)
    unheard = LACKS.refused | LACKS.dropped
    assert (write_chat(asking, ask) == plain) == (feature in unheard)


def test_the_table_is_of_all_features() -> None:
    assert set(Feature) - ASKING.keys() == OF_EMBEDDINGS
    assert not LACKS.refused & LACKS.dropped
    assert not (LACKS.refused | LACKS.dropped) & LACKS.altered
