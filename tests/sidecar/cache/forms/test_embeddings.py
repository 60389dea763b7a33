"""Which vectors are kept: all that were asked for, whoever made them."""

from typing import Any

import pytest

from penstock_sidecar.cache.forms import form_of
from penstock_sidecar.cache.forms.embeddings import OLLAMA_FORM, OPENAI_FORM
from tests.sidecar.cache.builders import request
from tests.sidecar.cache.forms.cutting import Document

INPUTS: dict[str, tuple[Any, int]] = {
    "text": ("a", 1),
    "texts": (["a", "b"], 2),
    "tokens": ([1, 2, 3], 1),
    "several lists of tokens": ([[1, 2], [3], [4]], 3),
}


def listed(*vectors: Any) -> Document:
    data = [
        {"object": "embedding", "index": index, "embedding": vector}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return {"object": "list", "data": data, "model": "m", "usage": usage}


def made(*vectors: Any) -> Document:
    return {"model": "m", "embeddings": list(vectors), "prompt_eval_count": 1}


@pytest.mark.parametrize("case", INPUTS)
def test_at17_as_many_vectors_as_texts_are_whole(case: str) -> None:
    given, wanted = INPUTS[case]
    asked = request({"input": given})
    vectors = [[0.5, -1]] * wanted
    for form, answer in ((OPENAI_FORM, listed), (OLLAMA_FORM, made)):
        assert form.whole(answer(*vectors), asked)
        assert not form.whole(answer(*vectors, [0.5]), asked)
        assert not form.whole(answer(*vectors[1:]), asked)


def test_base64_is_a_vector_too() -> None:
    assert OPENAI_FORM.whole(listed("AAAA"), request({"input": "a"}))


UNFIT: dict[str, Document] = {
    "empty vector": listed([]),
    "empty text": listed(""),
    "no vector": listed(None),
    "entry as list": {**listed(), "data": [[0.5]]},
    "no usage": {**listed([0.5]), "usage": None},
    "no data": {**listed(), "data": None},
    "error": {**listed([0.5]), "error": {"message": "x"}},
}
UNFIT_OF_OLLAMA: dict[str, Document] = {
    "empty vector": made([]),
    "no vector": made(None),
    "no vectors": {**made(), "embeddings": None},
    "the former api's": {"embedding": [0.5]},
    "error": {**made([0.5]), "error": "x"},
}


@pytest.mark.parametrize("case", UNFIT)
def test_at17_anything_else_is_not(case: str) -> None:
    assert not OPENAI_FORM.whole(UNFIT[case], request({"input": "a"}))


@pytest.mark.parametrize("case", UNFIT_OF_OLLAMA)
def test_at17_nor_is_it_of_ollama(case: str) -> None:
    assert not OLLAMA_FORM.whole(UNFIT_OF_OLLAMA[case], request({"input": "a"}))


@pytest.mark.parametrize("given", ["", [], None])
def test_a_request_that_only_loads_a_model_has_no_answer(given: Any) -> None:
    assert not OLLAMA_FORM.whole(made(), request({"input": given}))


def test_vectors_are_never_streamed_and_always_the_same() -> None:
    for form in (OPENAI_FORM, OLLAMA_FORM):
        assert form.streams is None
        assert form.temperature({"options": {"temperature": 1}}) == 0


def test_the_former_api_counts_nothing_and_is_left_out() -> None:
    assert form_of("ollama-embeddings") is None
