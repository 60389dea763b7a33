"""What tells requests of each API apart, and that APIs never meet."""

from dataclasses import replace
from typing import get_args

import pytest

from penstock_sidecar.cache.forms import form_of
from penstock_sidecar.cache.forms.known import FORMS
from penstock_sidecar.cache.key import Keys
from penstock_sidecar.cache.question import Question
from penstock_sidecar.model import Api, Request
from tests.sidecar.cache.builders import CALLER, TARGET, request

KEYS = Keys(("c", "shop", "shop/main"), "App", b"secret")
IGNORED: dict[Api, set[str]] = {
    "openai-chat": {"user", "metadata", "stream_options"},
    "openai-completions": {"user", "stream_options"},
    "openai-responses": {"stream_options"},
    "openai-embeddings": {"user"},
    "anthropic-messages": {"metadata"},
    "ollama-chat": {"keep_alive"},
    "ollama-generate": {"keep_alive"},
    "ollama-embed": {"keep_alive"},
}
"""Beside what none goes by."""
each_api = pytest.mark.parametrize("api", sorted(FORMS))


def question(api: Api, asked: Request | None = None) -> Question:
    form = form_of(api)
    assert form
    found = KEYS.question(replace(asked or request(), api=api), CALLER, TARGET, "", form)
    assert found
    return found


def exact(api: Api, **fields: object) -> str:
    return question(api, request(fields)).exact


def test_one_document_is_another_question_in_each_api() -> None:
    names = {question(api).name for api in FORMS}
    assert len({*names, *(question(api).exact for api in FORMS)}) == 2 * len(FORMS)


def test_apis_without_a_form_are_those_we_know_of() -> None:
    assert set(get_args(Api)) - FORMS.keys() == {"anthropic-count-tokens", "ollama-embeddings"}


@each_api
def test_what_is_ignored_does_not_matter_and_everything_else_does(api: Api) -> None:
    ignored = {"model", "stream", "cache"} | IGNORED[api]
    everywhere = set.union(*IGNORED.values())
    for name in ignored:
        assert exact(api, **{name: "something"}) == exact(api), name
    counted = {"temperature", "options", "thinking", "think", "system", "store", "nobody_knows_it"}
    for name in counted | everywhere - ignored:
        assert exact(api, **{name: "something"}) != exact(api), name


@pytest.mark.parametrize("header", ["anthropic-version", "anthropic-beta"])
def test_what_anthropic_is_told_by_headers_counts(header: str) -> None:
    plain, told = request(), replace(request(), headers={header: "of-another-day"})
    assert question("anthropic-messages", told).exact != question("anthropic-messages").exact
    assert question("openai-chat", told).exact == question("openai-chat", plain).exact


@each_api
def test_a_temperature_is_read_where_the_api_has_it(api: Api) -> None:
    form = form_of(api)
    assert form
    both: dict[str, object] = {"temperature": 1, "options": {"temperature": 0.5}}
    wanted = 0.5 if api in {"ollama-chat", "ollama-generate"} else 1
    assert form.temperature(both) == (0 if "embed" in api else wanted)
    assert form.temperature({}) == (0 if "embed" in api else None)
