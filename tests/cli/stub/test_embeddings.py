"""The scripted provider's vectors."""

import base64
import struct
from math import isclose, sqrt

import aiohttp

from penstock_cli.stub import EMPTY, Bill, Ok, Status, StubProvider, Tokens
from penstock_cli.stub.vectors import as_base64, texts_of, vector


def test_a_text_has_the_same_vector_every_time_and_another_text_another() -> None:
    assert vector("a", "m") == vector("a", "m")
    assert len({vector("a", "m"), vector("b", "m"), vector("a", "n")}) == 3


def test_a_vector_has_unit_length_and_as_many_dimensions_as_asked_for() -> None:
    numbers = vector("a", "m", 300)
    assert len(numbers) == 300
    assert isclose(sqrt(sum(n * n for n in numbers)), 1, rel_tol=1e-5)
    assert len(vector("a", "m")) == 8


def test_base64_holds_the_same_numbers() -> None:
    numbers = vector("a", "m")
    assert struct.unpack("<8f", base64.b64decode(as_base64(numbers))) == numbers


def test_inputs_are_texts_or_tokens_one_or_several() -> None:
    assert texts_of("a") == ("a",)
    assert texts_of(["a", "b"]) == ("a", "b")
    assert texts_of([1, 2]) == ("[1, 2]",)
    assert texts_of([[1, 2], [3]]) == ("[1, 2]", "[3]")
    assert texts_of([]) == texts_of(None) == ()


async def test_openais_answer() -> None:
    async with StubProvider() as stub, aiohttp.ClientSession() as session:
        body = {"model": "m", "input": ["ab", "cdef"], "dimensions": 2}
        async with session.post(f"{stub.url}/v1/embeddings", json=body) as response:
            assert await response.json() == {
                "object": "list",
                "data": [
                    {"object": "embedding", "index": 0, "embedding": [*vector("ab", "m", 2)]},
                    {"object": "embedding", "index": 1, "embedding": [*vector("cdef", "m", 2)]},
                ],
                "model": "m",
                "usage": {"prompt_tokens": 1, "total_tokens": 1},
            }
        body["encoding_format"] = "base64"
        async with session.post(f"{stub.url}/v1/embeddings", json=body) as response:
            entries = (await response.json())["data"]
        assert entries[0]["embedding"] == as_base64(vector("ab", "m", 2))
        assert stub.bill() == Bill(2, 2, 0)


async def test_ollamas_answers() -> None:
    async with StubProvider() as stub, aiohttp.ClientSession() as session:
        stub.always(Ok(usage=Tokens(7, 0)))
        async with session.post(f"{stub.url}/api/embed", json={"model": "m", "input": "a"}) as got:
            assert await got.json() == {
                "model": "m",
                "embeddings": [[*vector("a", "m")]],
                "total_duration": 14143917,
                "load_duration": 1019500,
                "prompt_eval_count": 7,
            }
        former = {"model": "m", "prompt": "a"}
        async with session.post(f"{stub.url}/api/embeddings", json=former) as got:
            assert await got.json() == {"embedding": [*vector("a", "m")]}


async def test_it_can_fail_and_answer_with_nothing() -> None:
    async with StubProvider() as stub, aiohttp.ClientSession() as session:
        stub.queue(EMPTY, Status(429))
        body = {"model": "m", "input": "a"}
        async with session.post(f"{stub.url}/v1/embeddings", json=body) as response:
            assert (await response.json())["data"] == []
        async with session.post(f"{stub.url}/v1/embeddings", json=body) as response:
            assert response.status == 429
