"""`POST /v1/feedback` at a whole sidecar."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.house import House, running_house

HI = {"model": "gpt", "messages": [{"role": "user", "content": "Hi."}]}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with running_house(tmp_path) as running:
        yield running


@pytest.fixture
async def app(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=house.url) as client:
        yield client


async def call_id(app: httpx.AsyncClient) -> str:
    answer = await app.post("/v1/chat/completions", json=HI)
    return answer.headers["x-penstock-call-id"]


async def test_a_word_on_an_answer_is_counted(house: House, app: httpx.AsyncClient) -> None:
    told = {"call_id": await call_id(app), "kind": "hallucination", "score": 0.7}
    answer = await app.post("/v1/feedback", json=told)
    assert answer.status_code == 200
    assert answer.json() == {
        "object": "feedback",
        "call_id": told["call_id"],
        "kind": "hallucination",
    }
    metrics = (await app.get(f"{house.probe_url}/metrics")).text
    assert 'penstock_feedback_total{kind="hallucination",model="gpt"} 1.0' in metrics


async def test_a_call_of_nobody_s_is_not_found(app: httpx.AsyncClient) -> None:
    answer = await app.post("/v1/feedback", json={"call_id": "never", "kind": "good"})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "call_not_found"


@pytest.mark.parametrize(
    ("changes", "param", "says"),
    [
        ({"kind": "meh"}, "kind", "hallucination"),
        ({"kind": None}, "kind", "good, bad"),
        ({"call_id": None}, "call_id", "x-penstock-call-id"),
        ({"call_id": 7}, "call_id", "x-penstock-call-id"),
        ({"score": 1.5}, "score", "0 to 1"),
        ({"score": True}, "score", "0 to 1"),
        ({"comment": "It was all wrong."}, "comment", "no text"),
    ],
)
async def test_a_bad_word_is_told_what_to_change(
    app: httpx.AsyncClient, changes: dict[str, Any], param: str, says: str
) -> None:
    told = {"call_id": await call_id(app), "kind": "good", **changes}
    answer = await app.post("/v1/feedback", json=told)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["param"] == param
    assert says in error["message"]
    assert "all wrong" not in answer.text


async def test_a_long_body_is_refused(app: httpx.AsyncClient) -> None:
    answer = await app.post("/v1/feedback", content=b"x" * 5000)
    assert answer.status_code == 413
