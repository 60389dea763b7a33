"""What providers are told: what is kept leaves a trace, what is dropped none, and nothing is
refused that the tables do not say."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_config.provider import ProviderType
from penstock_sidecar.dialects.anthropic.traits import FORCED, SAMPLED
from penstock_sidecar.dialects.dialect import Ask, ProviderSide, Unspeakable
from penstock_sidecar.dialects.embeddings.features import features_of_texts, refuse_texts
from penstock_sidecar.dialects.features import Feature, features_of
from penstock_sidecar.dialects.openai_chat import providers
from penstock_sidecar.dialects.prompt import (
    File,
    Format,
    Image,
    Prompt,
    Sampling,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from penstock_sidecar.dialects.quirks import BY_PRESET, OPENAI, PLAIN, Quirks
from penstock_sidecar.dialects.texts import Texts
from penstock_sidecar.translation.providers import (
    CHAT_FEATURES,
    CHATS,
    CLAUDES,
    EMBEDDERS,
    EMBEDDING_FEATURES,
    NARROWER,
    fate,
    model_fates,
)
from penstock_sidecar.translation.vocabulary import ARGUMENTS
from penstock_sidecar.upstream.provider import refuse
from tests.sidecar.translation.asked import BARE, add, asked, not_asked

MODELS: Final[Mapping[str, str]] = {
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-flash",
}
TRACES: Final = {"kept": True, "altered": True, "dropped": False}
"""Whether the provider's document differs."""


def _ask(type_: str, model: str = "", quirks: Quirks = OPENAI) -> Ask:
    known = quirks if type_ in {"openai", "azure-openai"} else PLAIN
    name = model or MODELS.get(type_, "m")
    return Ask(name, stream=False, max_output_tokens=None, reasons=True, quirks=known)


def _written(side: ProviderSide[Any], prompt: object, ask: Ask) -> dict[str, Any]:
    """As an attempt does. Raises `Unspeakable`."""
    refuse(prompt, side.lacks)
    return dict(side.write(prompt, ask))


@pytest.mark.parametrize("type_", CHATS)
@pytest.mark.parametrize("feature", CHAT_FEATURES)
def test_a_feature_s_fate_is_what_the_page_says(feature: Feature, type_: ProviderType) -> None:
    side, prompt, ask = CHATS[type_], asked(feature, type_), _ask(type_)
    expected = fate(feature, side.lacks)
    assert feature in {found for found, _ in features_of(prompt)}
    if expected == "refused":
        with pytest.raises(Unspeakable):
            _written(side, prompt, ask)
        return
    differs = _written(side, prompt, ask) != _written(side, not_asked(feature), ask)
    assert differs is TRACES[expected]


@pytest.mark.parametrize("preset", BY_PRESET)
@pytest.mark.parametrize("feature", CHAT_FEATURES)
def test_a_preset_s_fates_are_what_the_page_says(feature: Feature, preset: str) -> None:
    quirks = BY_PRESET[preset]
    side, ask = providers(quirks), _ask("openai", quirks=quirks)
    expected = fate(feature, side.lacks)
    prompt = asked(feature, "openai")
    if expected == "refused":
        with pytest.raises(Unspeakable):
            _written(side, prompt, ask)
        return
    differs = _written(side, prompt, ask) != _written(side, not_asked(feature), ask)
    assert differs is TRACES[expected]


@pytest.mark.parametrize("model", CLAUDES)
@pytest.mark.parametrize("feature", sorted(SAMPLED | FORCED))
def test_a_claude_s_fates_are_what_the_page_says(feature: Feature, model: str) -> None:
    dropped, refused = model_fates(model)
    side, ask = CHATS["anthropic"], _ask("anthropic", model)
    prompt = asked(feature, "anthropic")
    if feature in refused:
        with pytest.raises(Unspeakable):
            _written(side, prompt, ask)
        return
    differs = _written(side, prompt, ask) != _written(side, not_asked(feature), ask)
    assert differs is (feature not in dropped)


@pytest.mark.parametrize("type_", CHATS)
@settings(deadline=None, max_examples=200)
@given(features=st.lists(st.sampled_from(CHAT_FEATURES), max_size=8))
def test_together_they_are_refused_by_the_table_and_by_nothing_else(
    type_: ProviderType, features: list[Feature]
) -> None:
    side, prompt = CHATS[type_], BARE
    for feature in features:
        prompt = add(prompt, feature, type_)
    refused = {found for found, _ in features_of(prompt)} & side.lacks.refused
    try:
        _written(side, prompt, _ask(type_))
    except Unspeakable:
        assert refused
    else:
        assert not refused


TEXTS: Final = Texts(("Hi",))
TEXTS_ASKING: Final[Mapping[Feature, Texts]] = {
    Feature.COUNTED: replace(TEXTS, inputs=((1, 2),)),
    Feature.DIMENSIONS: replace(TEXTS, dimensions=64),
    Feature.TASK: replace(TEXTS, task="query"),
    Feature.CUT: replace(TEXTS, cut=True),
    Feature.UNCUT: replace(TEXTS, cut=False),
    Feature.USER: replace(TEXTS, user="ada"),
}
IN_WORDS_ALREADY: Final = {
    ("openai", Feature.UNCUT),
    ("azure-openai", Feature.UNCUT),
    ("gemini", Feature.CUT),
}
"""What they do anyway is kept without a word."""


@pytest.mark.parametrize("type_", EMBEDDERS)
@pytest.mark.parametrize("feature", EMBEDDING_FEATURES)
def test_a_fate_of_embeddings_is_what_the_page_says(feature: Feature, type_: ProviderType) -> None:
    side, texts, ask = EMBEDDERS[type_], TEXTS_ASKING[feature], _ask(type_, "embedder")
    expected = fate(feature, side.lacks)
    assert [found for found, _ in features_of_texts(texts)] == [feature]
    if expected == "refused":
        with pytest.raises(Unspeakable):
            _written(side, texts, ask)
        return
    differs = _written(side, texts, ask) != _written(side, TEXTS, ask)
    assert differs is (TRACES[expected] and (type_, feature) not in IN_WORDS_ALREADY)


@pytest.mark.parametrize("type_", EMBEDDERS)
def test_more_texts_than_the_page_says_are_refused(type_: ProviderType) -> None:
    lacks = EMBEDDERS[type_].lacks
    most = lacks.most_inputs or 5_000
    refuse_texts(replace(TEXTS, inputs=("Hi",) * most), lacks)
    if lacks.most_inputs is not None:
        with pytest.raises(Unspeakable):
            refuse_texts(replace(TEXTS, inputs=("Hi",) * (most + 1)), lacks)


def _also(part: Any) -> Prompt:
    return replace(BARE, turns=(*BARE.turns, Turn("user", (part,))))


EXAMPLES: Final[Mapping[str, Prompt]] = {
    ARGUMENTS: replace(
        BARE,
        turns=(
            *BARE.turns,
            Turn("assistant", (ToolCall("c1", "f", "no object", where="x"),)),
            Turn("user", (ToolResult("c1", (Text("Sun"),), "f", where="result"),)),
        ),
    ),
    "a stop sequence of white space alone": replace(BARE, sampling=Sampling(stop=("\n",))),
    "a file as data that is no PDF": _also(File("AAAA", "text/csv", where="x")),
    "messages in which nothing is said": replace(BARE, turns=()),
    "a picture or file by a URL that begins with neither `https://` nor `gs://`": _also(
        Image(url="http://example.com/a.png", where="x")
    ),
    "a tool's result without a call before it": _also(ToolResult("c1", (Text("Sun"),), where="x")),
    "a strict schema with a keyword that Gemini ignores": replace(
        BARE, format=Format({"type": "string", "pattern": "a"}, strict=True)
    ),
}


@pytest.mark.parametrize("type_", CHATS)
@pytest.mark.parametrize("what", NARROWER)
def test_what_is_refused_of_a_feature_is_what_the_page_says(what: str, type_: ProviderType) -> None:
    side, prompt, ask = CHATS[type_], EXAMPLES[what], _ask(type_)
    lacking = {found for found, _ in features_of(prompt)} & side.lacks.refused
    if type_ in NARROWER[what] or lacking:
        with pytest.raises(Unspeakable):
            _written(side, prompt, ask)
    else:
        _written(side, prompt, ask)
