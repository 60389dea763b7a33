"""What callers may say: each published field is in one table, and the tables are what happens."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

import pytest
from anthropic.types.message_create_params import MessageCreateParamsBase
from ollama._types import ChatRequest, EmbeddingsRequest, EmbedRequest, GenerateRequest, Options
from openai.types import completion_create_params as completions
from openai.types.chat import completion_create_params as chat
from openai.types.embedding_create_params import EmbeddingCreateParams
from openai.types.responses import response_create_params as responses

from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.model import Api
from penstock_sidecar.translation.page import PATHS
from penstock_sidecar.translation.vocabulary import (
    ARGUMENTS,
    OF_THREE,
    OPTIONS,
    TOOLS_OF_OTHERS,
    UNKNOWN_PARTS,
    URL_DATA,
    VOCABULARIES,
    Vocabulary,
)
from penstock_sidecar.upstream.plans import CALLERS

HI: Final = [{"role": "user", "content": "Hi"}]
SMALLEST: Final[Mapping[Api, dict[str, Any]]] = {
    "openai-chat": {"messages": HI},
    "openai-completions": {"prompt": "Hi"},
    "openai-responses": {"input": "Hi"},
    "openai-embeddings": {"input": "Hi"},
    "anthropic-messages": {"messages": HI, "max_tokens": 9},
    "ollama-chat": {"messages": HI},
    "ollama-generate": {"prompt": "Hi"},
    "ollama-embed": {"input": "Hi"},
    "ollama-embeddings": {"prompt": "Hi"},
}
PUBLISHED: Final[Mapping[str, type]] = {
    "openai-chat": chat.CompletionCreateParamsBase,
    "openai-completions": completions.CompletionCreateParamsBase,
    "openai-responses": responses.ResponseCreateParamsBase,
    "openai-embeddings": EmbeddingCreateParams,
    "anthropic-messages": MessageCreateParamsBase,
    "ollama-chat": ChatRequest,
    "ollama-generate": GenerateRequest,
    "ollama-embed": EmbedRequest,
    "ollama-embeddings": EmbeddingsRequest,
    "options": Options,
}
"""The vendors' own types, of the clients that the tests run."""
ALL: Final[Mapping[str, Vocabulary]] = {
    "options": OPTIONS,
    **{str(api): each for api, each in VOCABULARIES.items()},
}
every_api = pytest.mark.parametrize("api", VOCABULARIES)
SOMETHING: Final = {"of": "some kind"}


def _published(type_: type) -> set[str]:
    found = {name for base in type_.__mro__ for name in getattr(base, "__annotations__", {})}
    return {name for name in found if not name.startswith(("_", "model_"))} | {"model"} & found


def _lists(vocabulary: Vocabulary) -> Iterator[str]:
    yield from vocabulary.translated
    yield from vocabulary.dropped
    yield from vocabulary.neutral
    yield from vocabulary.refused


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_field_is_in_a_table(name: str) -> None:
    assert _published(PUBLISHED[name]) - set(_lists(ALL[name])) == set()


@pytest.mark.parametrize("name", ALL)
def test_no_field_is_in_two_tables(name: str) -> None:
    assert [name for name, count in Counter(_lists(ALL[name])).items() if count > 1] == []


def test_every_api_that_is_translated_has_its_tables() -> None:
    assert set(VOCABULARIES) == set(CALLERS)
    assert set(PATHS) == set(get_args(Api))
    assert set(get_args(Api)) - set(VOCABULARIES) == {"anthropic-count-tokens"}


@every_api
def test_what_is_dropped_and_what_asks_for_nothing_is_read(api: Api) -> None:
    read, vocabulary = CALLERS[api].read, VOCABULARIES[api]
    plain = read(SMALLEST[api])
    for name in vocabulary.dropped:
        assert read({**SMALLEST[api], name: SOMETHING}) == plain, name
    for name, values in vocabulary.neutral.items():
        for value in values:
            assert read({**SMALLEST[api], name: value}) == plain, name


@every_api
def test_what_is_refused_is_refused_by_its_name(api: Api) -> None:
    vocabulary = VOCABULARIES[api]
    for name in {*vocabulary.neutral, *vocabulary.refused, "nobody_knows_it"}:
        with pytest.raises(Unspeakable) as caught:
            CALLERS[api].read({**SMALLEST[api], name: SOMETHING})
        assert caught.value.param == name


@pytest.mark.parametrize("api", ["ollama-chat", "ollama-generate"])
def test_options_are_as_their_table_says(api: Api) -> None:
    read = CALLERS[api].read
    plain = read(SMALLEST[api])
    for name in OPTIONS.dropped:
        assert read({**SMALLEST[api], "options": {name: SOMETHING}}) == plain, name
    with pytest.raises(Unspeakable) as caught:
        read({**SMALLEST[api], "options": {"nobody_knows_it": 1}})
    assert caught.value.param == "options.nobody_knows_it"


def _said(**message: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", **message}]}


def _answered(**message: Any) -> dict[str, Any]:
    return {"messages": [*HI, {"role": "assistant", **message}]}


_VIDEO: Final = {"content": [{"type": "video", "video": {}}]}
_PICTURE: Final = {"type": "image_url", "image_url": {"url": "data:image/png,hello"}}
_FUNCTION: Final = {"name": "f", "arguments": "no object"}
_CITED: Final = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": "Hi"},
    "citations": {"enabled": True},
}
NARROWER: Final[Mapping[tuple[str, str], tuple[dict[str, Any], str]]] = {
    ("openai-chat", TOOLS_OF_OTHERS): ({"tools": [{"type": "custom"}]}, "tools[0].type"),
    ("openai-chat", UNKNOWN_PARTS): (_said(**_VIDEO), "messages[0].content[0]"),
    ("openai-chat", URL_DATA): (_said(content=[_PICTURE]), "messages[0].content[0].image_url"),
    ("openai-chat", "an answer of before that is sound"): (
        _answered(audio={"id": "audio_1"}),
        "messages[1].audio",
    ),
    ("openai-completions", "several prompts at once"): ({"prompt": ["a", "b"]}, "prompt"),
    ("openai-completions", "a prompt of tokens"): ({"prompt": [1, 2]}, "prompt"),
    ("openai-completions", "`best_of` above `n`"): ({"best_of": 2}, "best_of"),
    ("openai-completions", "`echo` together with `logprobs`"): (
        {"echo": True, "logprobs": 1},
        "echo",
    ),
    ("openai-completions", "`max_tokens` of 0"): ({"max_tokens": 0}, "max_tokens"),
    ("openai-responses", TOOLS_OF_OTHERS): ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
    ("openai-responses", UNKNOWN_PARTS): (
        {"input": [{"role": "user", "content": [{"type": "input_video"}]}]},
        "input[0].content[0]",
    ),
    ("openai-responses", URL_DATA): (
        {
            "input": [
                {
                    "role": "user",
                    "content": [{"type": "input_image", "image_url": "data:image/png,hello"}],
                }
            ]
        },
        "input[0].content[0].image_url",
    ),
    ("openai-responses", "items of tools that ran elsewhere"): (
        {"input": [{"type": "web_search_call"}]},
        "input[0].type",
    ),
    ("anthropic-messages", TOOLS_OF_OTHERS): (
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        "tools[0].type",
    ),
    ("anthropic-messages", UNKNOWN_PARTS): (_said(**_VIDEO), "messages[0].content[0]"),
    ("anthropic-messages", "citations"): (
        _said(content=[_CITED]),
        "messages[0].content[0].citations",
    ),
    ("anthropic-messages", "files kept at Anthropic"): (
        _said(content=[{"type": "image", "source": {"type": "file", "file_id": "file_1"}}]),
        "messages[0].content[0].source",
    ),
    ("ollama-chat", OF_THREE): (_said(content="", images=["AAAA"]), "messages[0].images[0]"),
    ("ollama-chat", ARGUMENTS): (
        _answered(tool_calls=[{"function": _FUNCTION}]),
        "messages[1].tool_calls[0].function.arguments",
    ),
    ("ollama-chat", "a tool's result without a call before it"): (
        {"messages": [*HI, {"role": "tool", "content": "Sun"}]},
        "messages[1]",
    ),
    ("ollama-generate", OF_THREE): ({"images": ["AAAA"]}, "images[0]"),
}


@pytest.mark.parametrize(("api", "what"), NARROWER)
def test_what_is_refused_within_a_field_is_named(api: Api, what: str) -> None:
    given, where = NARROWER[api, what]
    with pytest.raises(Unspeakable) as caught:
        CALLERS[api].read({**SMALLEST[api], **given})
    assert caught.value.param == where


def test_every_line_of_the_page_has_its_example() -> None:
    said = {(api, what) for api, each in VOCABULARIES.items() for what in each.narrower}
    assert said == set(NARROWER)
