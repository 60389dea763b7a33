"""Requests that differ in spelling alone are one, at level 2; all others are not (AT19)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from penstock_sidecar.cache.forms import form_of
from penstock_sidecar.cache.key import Keys
from penstock_sidecar.cache.normalised import normalised
from penstock_sidecar.cache.normalised.document import MOST_CHARACTERS
from penstock_sidecar.model import Api, Request
from tests.sidecar.cache.builders import CALLER, TARGET, request

QUESTION = "What is the capital of France?"
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
Document = dict[str, Any]


def asked(api: Api = "openai-chat", **fields: object) -> Request:
    document = {"model": "fast", **fields}
    return replace(
        request(),
        api=api,
        document=document,
        body=orjson.dumps(document),
        tools=bool(fields.get("tools")),
        json=fields.get("response_format") not in (None, {"type": "text"}),
    )


def chat(*turns: tuple[str, object], **fields: Any) -> Request:
    messages = [{"role": role, "content": text} for role, text in turns]
    return asked("openai-chat", **{"messages": messages, **fields})


def alike(one: Request, other: Request) -> bool:
    keys = Keys(("c", "shop", "shop/main"), "App", b"secret", normalised)
    names = []
    for each in (one, other):
        form = form_of("openai-chat")
        assert form
        question = keys.question(each, CALLER, TARGET, "", form)
        assert question
        names.append(question.name)
    return names[0] == names[1]


PLAIN = chat(("user", QUESTION))
ALIKE: Mapping[str, Request] = {
    "trailing space": chat(("user", QUESTION + "  \n")),
    "runs of spaces": chat(("user", QUESTION.replace(" ", "   "))),
    "manners": chat(("user", "please, what is the capital of France")),
    "key order": asked(messages=[{"content": QUESTION, "role": "user"}]),
    "a part of text": chat(("user", [{"type": "text", "text": QUESTION}])),
    "temperature 1": chat(("user", QUESTION), temperature=1),
    "temperature 1.0": chat(("user", QUESTION), temperature=1.0),
    "top_p 1": chat(("user", QUESTION), top_p=1),
    "n 1": chat(("user", QUESTION), n=1),
    "penalties 0": chat(("user", QUESTION), frequency_penalty=0, presence_penalty=0.0),
    "stream false": chat(("user", QUESTION), stream=False),
    "null": chat(("user", QUESTION), stop=None, max_tokens=None, tools=None, temperature=None),
    "format text": chat(("user", QUESTION), response_format={"type": "text"}, logprobs=False),
}
UNLIKE: Mapping[str, Request] = {
    "another question": chat(("user", "What is the capital of Spain?")),
    "temperature 0": chat(("user", QUESTION), temperature=0),
    "temperature true": chat(("user", QUESTION), temperature=True),
    "top_p": chat(("user", QUESTION), top_p=0.5),
    "n 2": chat(("user", QUESTION), n=2),
    "seed": chat(("user", QUESTION), seed=1),
    "stop": chat(("user", QUESTION), stop=["\n"]),
    "stop at nothing": chat(("user", QUESTION), stop=""),
    "max_tokens": chat(("user", QUESTION), max_tokens=5),
    "format JSON": chat(("user", QUESTION), response_format={"type": "json_object"}),
    "tools": chat(("user", QUESTION), tools=[TOOL]),
    "logprobs": chat(("user", QUESTION), logprobs=True),
    "unknown null": chat(("user", QUESTION), something=None),
    "role": chat(("system", QUESTION)),
    "system": chat(("system", "Be brief"), ("user", QUESTION)),
    "history": chat(("user", "hi"), ("assistant", "hello"), ("user", QUESTION)),
    "name": asked(messages=[{"role": "user", "content": QUESTION, "name": "ann"}]),
    "cache_control": chat(
        ("user", [{"type": "text", "text": QUESTION, "cache_control": {"type": "ephemeral"}}])
    ),
    "two parts": chat(("user", [{"type": "text", "text": t} for t in (QUESTION, "or Spain")])),
    "a picture": chat(
        ("user", [{"type": "text", "text": QUESTION}, {"type": "image_url", "image_url": {}}])
    ),
}


@pytest.mark.parametrize("case", ALIKE)
def test_at19_near_misses_are_one(case: str) -> None:
    assert alike(PLAIN, ALIKE[case])


@pytest.mark.parametrize("case", UNLIKE)
def test_at19_a_semantic_change_is_another(case: str) -> None:
    assert not alike(PLAIN, UNLIKE[case])


def test_the_system_prompt_and_history_are_only_respelt() -> None:
    def said(system: str, before: str) -> Request:
        return chat(
            ("system", system), ("user", before), ("assistant", "Sure."), ("user", QUESTION)
        )

    plain = said("You are a Pirate.", "Please sing.")
    assert alike(plain, said("You are a  Pirate. ", "Please sing.\u200b"))
    assert not alike(plain, said("you are a pirate.", "Please sing."))
    assert not alike(plain, said("You are a Pirate.", "sing"))
    assert not alike(plain, said("You are Pirate.", "Please sing."))


@pytest.mark.parametrize(
    "system", ["Translate to French.", "Correct the user's grammar.", "Count the letters."]
)
def test_where_texts_are_the_matter_every_character_counts(system: str) -> None:
    one, other, spaced = (
        chat(("system", system), ("user", text))
        for text in (QUESTION, QUESTION.lower(), QUESTION + " ")
    )
    assert not alike(one, other)
    assert alike(one, spaced)


@pytest.mark.parametrize(
    "fields", [{"tools": [TOOL]}, {"response_format": {"type": "json_object"}}]
)
def test_with_tools_or_a_format_every_word_counts(fields: Document) -> None:
    one, other = (chat(("user", text), **fields) for text in (QUESTION, QUESTION.lower()))
    assert not alike(one, other)


def test_what_tools_said_stays_as_it_came() -> None:
    def told(result: str) -> Request:
        return chat(("user", QUESTION), ("tool", result))

    assert not alike(told('{"a": 1}  '), told('{"a": 1}'))


@pytest.mark.parametrize("begun", ["the", "The ", " The", "The\n"])
def test_an_answer_that_is_to_be_gone_on_with_stays_as_it_came(begun: str) -> None:
    one, other = (chat(("user", QUESTION), ("assistant", text)) for text in ("The", begun))
    assert not alike(one, other)


def test_defaults_of_tools_hold_where_there_are_tools() -> None:
    one = chat(("user", QUESTION), tools=[TOOL])
    assert alike(one, chat(("user", QUESTION), tools=[TOOL], tool_choice="auto"))
    assert not alike(one, chat(("user", QUESTION), tools=[TOOL], tool_choice="none"))
    assert not alike(PLAIN, chat(("user", QUESTION), tool_choice="auto"))


def test_what_is_long_is_found_by_its_own_characters() -> None:
    long = "a " * MOST_CHARACTERS
    assert not alike(chat(("user", long)), chat(("user", long + " ")))


APIS: Mapping[Api, tuple[Document, Document]] = {
    "openai-responses": (
        {"input": QUESTION, "instructions": "Be brief."},
        {
            "input": [{"role": "user", "content": [{"type": "input_text", "text": QUESTION}]}],
            "instructions": "Be  brief.",
            "temperature": 1,
        },
    ),
    "anthropic-messages": (
        {"messages": [{"role": "user", "content": QUESTION}], "system": "Be brief."},
        {
            "messages": [{"role": "user", "content": "what is the capital of France"}],
            "system": " Be brief.",
            "temperature": 1.0,
        },
    ),
    "ollama-chat": (
        {"messages": [{"role": "user", "content": QUESTION}]},
        {"messages": [{"role": "user", "content": "what is capital of France"}]},
    ),
    "ollama-generate": ({"prompt": QUESTION}, {"prompt": f"Please, {QUESTION}"}),
}


@pytest.mark.parametrize("api", APIS)
def test_each_api_has_its_turns(api: Api) -> None:
    one, other = (asked(api, **document) for document in APIS[api])
    assert alike(one, other)


@pytest.mark.parametrize(
    ("api", "one", "other"),
    [
        ("openai-completions", {"prompt": "a"}, {"prompt": "a "}),
        ("openai-embeddings", {"input": "a"}, {"input": "a "}),
        ("openai-completions", {"prompt": "a", "suffix": "b"}, {"prompt": "a ", "suffix": "b"}),
        ("ollama-generate", {"prompt": "a", "raw": True}, {"prompt": "a ", "raw": True}),
        (
            "ollama-generate",
            {"prompt": "def f():\n", "suffix": "\n    return x"},
            {"prompt": "def f():\n    ", "suffix": "\n    return x"},
        ),
        (
            "ollama-generate",
            {"prompt": "is it?", "format": "json"},
            {"prompt": "Is it?", "format": "json"},
        ),
        ("ollama-chat", {"messages": []}, {"messages": [], "options": {"temperature": 0.8}}),
    ],
)
def test_elsewhere_the_very_characters_count(api: Api, one: Document, other: Document) -> None:
    assert not alike(asked(api, **one), asked(api, **other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How many spaces are in this: a   b", "How many spaces are in this: a b"),
        ("Which code point is \uff21?", "Which code point is A?"),
        ("Is it a full-width letter: \uff21", "Is it a full-width letter: A"),
    ],
)
def test_where_spelling_is_the_matter_nothing_is_respelt(one: str, other: str) -> None:
    assert not alike(chat(("user", one)), chat(("user", other)))
    rule = "Count white space as it is sent."
    assert not alike(
        chat(("system", rule), ("user", "a  b")), chat(("system", rule), ("user", "a b"))
    )
