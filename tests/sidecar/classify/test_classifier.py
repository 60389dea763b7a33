"""What requests are found to be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_config.classification import COMPLEXITIES, TASKS
from penstock_sidecar.classify import Classifier
from penstock_sidecar.classify.weights import Weights
from penstock_sidecar.model import Request
from penstock_sidecar.normalise.openai import parse_chat
from tests.sidecar.classify.requests import chat, in_every_api, parsed

CLASSIFIER = Classifier.load()
PROOF = "Prove that there are infinitely many primes of the form 4k+3."
NAMES = {*Weights.load().rows, "images", "greeting"}
PICTURE = {"type": "image_url", "image_url": {"url": "https://pictures.example/cat.png"}}


def found(*texts: str) -> tuple[str, str]:
    weighed = CLASSIFIER.weigh(chat(*texts))
    return weighed.task, weighed.complexity


@pytest.mark.parametrize("text", ["hello", "Guten Tag", "你好", "thanks a lot!", "Merhaba"])
def test_a_greeting_is_a_simple_chat(text: str) -> None:
    assert found(text) == ("chat", "simple")


def test_a_picture_makes_it_vision_whatever_is_said() -> None:
    parts = [{"type": "text", "text": PROOF}, PICTURE]
    document = {"model": "auto", "messages": [{"role": "user", "content": parts}]}
    weighed = CLASSIFIER.weigh(parsed(parse_chat, document))
    assert (weighed.task, weighed.task_confidence) == ("vision", 1.0)
    assert weighed.complexity == CLASSIFIER.weigh(chat(PROOF)).complexity
    assert "images" in weighed.classification().signals


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("Summarise the following article in five bullet points.", "summarise"),
        ("Translate the following letter into Polish.", "translate"),
        ("Extract all dates and amounts as JSON.", "extract"),
        ("Write a Python function that merges two sorted lists.", "coding"),
        ("Write a poem about an old bicycle.", "creative"),
        (PROOF, "reasoning"),
    ],
)
def test_plain_wishes_are_understood(text: str, task: str) -> None:
    assert found(text)[0] == task


@pytest.mark.parametrize("api", in_every_api(PROOF))
def test_every_api_s_request_is_found_the_same(api: str) -> None:
    weighed = CLASSIFIER.weigh(in_every_api(PROOF)[api])
    assert (weighed.task, weighed.complexity) == found(PROOF)


@pytest.mark.parametrize(
    "text",
    [
        "Entwirf ein verteiltes Zahlungssystem, das den Ausfall einer Region übersteht, und"
        " begründe jede Entscheidung zur Konsistenz.",
        "Conçois une architecture tolérante aux pannes pour un million d'utilisateurs et compare"
        " les compromis entre cohérence et disponibilité.",
        "设计一个每秒处理一百万笔交易的分布式账本,要求强一致性和异地容灾,并证明其正确性。",
        "リージョン障害に耐える分散決済システムを設計し、一貫性と可用性のトレードオフを分析してください。",
        "Спроектируй распределённую платёжную систему, которая переживёт отказ региона, и обоснуй"
        " выбор модели согласованности.",
        "صمم نظاما موزعا للمدفوعات يتحمل فقدان منطقة كاملة، وحلل المفاضلة بين الاتساق والتوفر.",
    ],
)
def test_what_is_hard_in_another_language_is_not_simple(text: str) -> None:
    assert found(text)[1] in {"complex", "expert"}


@pytest.mark.parametrize(
    "text",
    [
        "Suunnittele hajautettu maksujärjestelmä, joka kestää kokonaisen alueen menetyksen, ja"
        " perustele jokainen valinta johdonmukaisuuden ja saatavuuden välillä.",
        "Σχεδίασε ένα κατανεμημένο σύστημα πληρωμών που αντέχει την απώλεια μιας περιοχής και"
        " αιτιολόγησε κάθε επιλογή ανάμεσα σε συνέπεια και διαθεσιμότητα.",
    ],
)
def test_a_language_that_nobody_knows_is_not_simple(text: str) -> None:
    assert found(text)[1] != "simple"


def test_a_long_text_does_not_make_a_small_wish_hard() -> None:
    material = "The committee met again and spoke about the roof of the town hall. " * 300
    assert found(f"Summarise in one sentence:\n\n{material}")[1] in {"simple", "medium"}


def test_a_short_wish_may_be_hard() -> None:
    assert found("Prove the spectral theorem.")[1] in {"complex", "expert"}


def test_a_short_word_goes_on_with_what_was_said_before() -> None:
    text = "Write a Python function that parses this log and fix the bug in the regex."
    assert found(text, "Here it is: ...", "and now in Rust")[0] == "coding"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
ROLES = st.sampled_from(["user", "system", "assistant", 7])
MESSAGES = st.lists(st.fixed_dictionaries({"role": ROLES, "content": JSON}), max_size=5)


@given(document=st.fixed_dictionaries({"messages": JSON | MESSAGES, "system": JSON}))
def test_no_document_makes_it_raise(document: dict[str, Any]) -> None:
    """Parsers let more through than they understand: the provider judges it."""
    request = Request("call-1", "auto", False, False, b"{}", document, {})
    weighed = CLASSIFIER.weigh(request)
    assert weighed.task in TASKS
    assert weighed.complexity in COMPLEXITIES
    assert 0 <= weighed.classification().confidence <= 1


@given(st.text(max_size=400))
def test_no_text_makes_it_raise_nor_comes_back_as_a_signal(text: str) -> None:
    signals = CLASSIFIER.weigh(chat(text)).classification().signals
    assert set(signals) <= NAMES
