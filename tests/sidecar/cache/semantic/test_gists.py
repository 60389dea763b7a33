from collections.abc import Mapping
from dataclasses import replace

import pytest

from penstock_config.cache import SemanticCache
from penstock_config.cache_layout import Shelves
from penstock_sidecar.cache.forms import form_of
from penstock_sidecar.cache.question import Question
from penstock_sidecar.cache.semantic.gists import Gists
from penstock_sidecar.model import Api
from tests.sidecar.cache.builders import CALLER, TARGET
from tests.sidecar.cache.semantic.test_turn import parsed, user

SHELVES = Shelves.of("c", "team", "shop", "scope")
GISTS = Gists(SemanticCache(), b"secret")


def question(
    text: str = "Where is Paris?",
    *,
    api: Api = "openai-chat",
    headers: Mapping[str, str] | None = None,
    shelves: Shelves = SHELVES,
    target: str = TARGET,
    kind: str = "",
    **document: object,
) -> Question:
    request = replace(parsed(api, messages=[user(text)], **document), headers=headers or {})
    form = form_of(api)
    assert form
    return Question(request, CALLER, target, kind, form, shelves, "a:b", "exact")


def partition(asked: Question, gists: Gists = GISTS) -> str:
    gist = gists.of(asked)
    assert gist
    return gist.partition


def test_the_last_turns_text_is_no_part_of_it() -> None:
    assert partition(question("Where is Paris?")) == partition(question("Who was Kepler?"))


def test_it_holds_the_text_as_it_was_asked() -> None:
    gist = GISTS.of(question("  Where is Paris? "))
    assert gist
    assert gist.text == "  Where is Paris? "


def test_what_changes_no_answer_changes_no_partition() -> None:
    same = question(user="ann", metadata={"a": "b"}, stream=True)
    assert partition(same) == partition(question())


@pytest.mark.parametrize(
    "other",
    [
        question(shelves=Shelves.of("c", "team", "shop", "other")),
        question(shelves=Shelves.of("c", "team", "other", "scope")),
        question(shelves=Shelves.of("c", "other", "shop", "scope")),
        question(target="tier:shop/other"),
        question(kind="code"),
        question(api="anthropic-messages"),
        question(seed=1),
    ],
    ids=["scope", "policy", "namespace", "target", "kind", "API", "document"],
)
def test_all_else_is(other: Question) -> None:
    assert partition(other) != partition(question())


def test_headers_that_the_provider_sees_count_and_others_do_not() -> None:
    plain = partition(question(api="anthropic-messages"))
    beta = question(api="anthropic-messages", headers={"anthropic-beta": "new"})
    tagged = question(api="anthropic-messages", headers={"x-penstock-tag": "a"})
    assert partition(beta) != plain
    assert partition(tagged) == plain


def test_nobody_without_the_namespaces_key_can_name_one() -> None:
    assert partition(question(), Gists(SemanticCache(), b"other")) != partition(question())


def test_what_is_not_eligible_has_none() -> None:
    assert GISTS.of(question(temperature=1)) is None
    lenient = Gists(SemanticCache(require_deterministic=False), b"secret")
    assert lenient.of(question(temperature=1))


def test_a_document_without_a_canonical_form_has_none() -> None:
    assert GISTS.of(question(seed=2**70)) is None
