"""What Ollama's clients ask beside words, over the whole edge."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from penstock_sidecar.clock import SystemClock
from penstock_sidecar.http import ollama
from penstock_sidecar.http.asking import Asking
from penstock_sidecar.http.dispatch import Dispatcher, Routes
from penstock_sidecar.http.guard import no_unasked_pages, only_loopback_names
from penstock_sidecar.http.server import Port
from penstock_sidecar.normalise.ollama import parse_generate, parse_ollama_chat
from tests.sidecar.http.edge import Edge, Response, exchange, head, post

FAST_DIGEST = "115dc3606fbf8691fb69f2aefec86f2ecd302362a0502b3a9648bf2c4dc8290f"
DETAILS = {
    "parent_model": "",
    "format": "",
    "family": "",
    "families": [],
    "parameter_size": "",
    "quantization_level": "",
}


@dataclass
class Ollama:
    """An edge with Ollama's routes alone."""

    edge: Edge
    number: int

    async def get(self, path: str, method: str = "GET") -> Response:
        return await exchange(self.number, head(method, path), bodiless=method == "HEAD")

    async def ask(self, path: str, method: str = "POST", **document: Any) -> Response:
        body = json.dumps(document).encode()
        return await exchange(self.number, head(method, path, content_length=str(len(body))) + body)


@pytest.fixture
async def served() -> AsyncIterator[Ollama]:
    edge = Edge()
    services = ollama.Loading(edge.current, SystemClock())
    routes: Routes = {
        **ollama.routes(edge.current),
        ("POST", "/api/chat"): Asking(parse_ollama_chat, services, edge.load, edge.bounds, edge),
        ("POST", "/api/generate"): Asking(parse_generate, services, edge.load, edge.bounds, edge),
    }
    below = dict.fromkeys(ollama.BLOBS, ollama.refuse_change)
    port = Port(Dispatcher(routes, (only_loopback_names, no_unasked_pages), edge, below))
    number = await port.start(("127.0.0.1",), 0)
    yield Ollama(edge, number)
    await port.close()


def read(response: Response) -> dict[str, Any]:
    assert response.status == 200, response.body
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["x-penstock-call-id"]
    found = json.loads(response.body)
    assert isinstance(found, dict)
    return found


async def test_the_list_holds_all_that_may_be_asked_for(served: Ollama) -> None:
    document = read(await served.get("/api/tags"))
    assert [model["name"] for model in document["models"]] == ["fast", "gpt-4o-mini"]
    assert document["models"][0] == {
        "name": "fast",
        "model": "fast",
        "modified_at": "1970-01-01T00:00:00Z",
        "size": 0,
        "digest": FAST_DIGEST,
        "details": DETAILS,
        "capabilities": ["completion", "tools", "vision"],
    }
    assert document["models"][1]["capabilities"] == ["completion"]


@pytest.mark.parametrize(
    "asked",
    [{"model": "fast"}, {"name": "fast"}, {"model": "fast:latest"}, {"model": "", "name": "fast"}],
)
async def test_details_are_the_little_that_is_known(served: Ollama, asked: dict[str, str]) -> None:
    assert read(await served.ask("/api/show", **asked)) == {
        "details": DETAILS,
        "model_info": {
            "general.architecture": "penstock",
            "general.basename": "fast",
            "penstock.context_length": 128_000,
        },
        "capabilities": ["completion", "tools", "vision"],
        "modified_at": "1970-01-01T00:00:00Z",
    }


async def test_a_window_that_nobody_knows_is_left_out(served: Ollama) -> None:
    info = read(await served.ask("/api/show", model="gpt-4o-mini"))["model_info"]
    assert info == {"general.architecture": "penstock", "general.basename": "gpt-4o-mini"}


@pytest.mark.parametrize(
    ("document", "status"), [({"model": "nope"}, 404), ({}, 400), ({"model": 3}, 400)]
)
async def test_details_of_nothing_are_an_error_in_ollama_s_shape(
    served: Ollama, document: dict[str, Any], status: int
) -> None:
    response = await served.ask("/api/show", **document)
    assert response.status == status
    assert list(json.loads(response.body)) == ["error"]


async def test_a_version_is_said(served: Ollama) -> None:
    assert read(await served.get("/api/version")) == {"version": ollama.API_VERSION}


async def test_what_is_loaded_is_nobody_s_to_know(served: Ollama) -> None:
    assert read(await served.get("/api/ps")) == {"models": []}


async def test_whoever_knocks_hears_that_it_runs(served: Ollama) -> None:
    response = await served.get("/")
    assert (response.status, response.body) == (200, b"Ollama is running")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    knocked = await served.get("/", "HEAD")
    assert (knocked.status, knocked.body) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path"), [*ollama.CHANGES, ("POST", "/api/blobs/sha256:29fdb92e57cf0827")]
)
async def test_models_are_changed_by_somebody_else(served: Ollama, method: str, path: str) -> None:
    response = await served.ask(path, method, model="llama3.2")
    assert response.status == 403
    error = json.loads(response.body)["error"]
    assert error.startswith(f"{path} is not for callers here")
    assert "LLMProvider" in error
    assert response.headers["x-should-retry"] == "false"


async def test_no_blob_is_said_to_be_here(served: Ollama) -> None:
    assert (await served.get("/api/blobs/sha256:29fdb92e57cf0827", "HEAD")).status == 403


@pytest.mark.parametrize(
    ("keep_alive", "reason"),
    [
        ({}, "load"),
        ({"keep_alive": "5m"}, "load"),
        ({"keep_alive": -1}, "load"),
        ({"keep_alive": False}, "load"),
        ({"keep_alive": "soon"}, "load"),
        ({"keep_alive": 0}, "unload"),
        ({"keep_alive": "0"}, "unload"),
        ({"keep_alive": "0m0s"}, "unload"),
    ],
)
async def test_who_asks_to_load_hears_that_it_is_done(
    served: Ollama, keep_alive: dict[str, Any], reason: str
) -> None:
    """Without a stream, and without any provider hearing of it."""
    done = {"done": True, "done_reason": reason}
    generated = read(await served.ask("/api/generate", model="fast", **keep_alive))
    assert generated.pop("created_at")
    assert generated == {"model": "fast", "response": "", **done}
    chatted = read(await served.ask("/api/chat", model="fast", messages=[], **keep_alive))
    assert chatted.pop("created_at")
    message = {"role": "assistant", "content": ""}
    assert chatted == {"model": "fast", "message": message, **done}
    assert served.edge.service.asked == []


async def test_an_unknown_model_cannot_be_loaded(served: Ollama) -> None:
    response = await served.ask("/api/generate", model="nope")
    assert response.status == 404
    assert "does not exist" in json.loads(response.body)["error"]


async def test_what_has_something_to_answer_goes_on(served: Ollama) -> None:
    await served.ask("/api/generate", model="fast", prompt="Hi", stream=False)
    await served.ask(
        "/api/chat", model="fast", messages=[{"role": "user", "content": "Hi"}], stream=False
    )
    assert [request.api for request in served.edge.service.asked] == [
        "ollama-generate",
        "ollama-chat",
    ]


async def test_a_web_page_that_did_not_ask_is_not_served(served: Ollama) -> None:
    body = b'{"model":"fast","prompt":"Hi"}'
    request = post(body, origin="https://evil.example", content_type="text/plain")
    response = await exchange(served.number, request.replace(b"/v1/chat/completions", b"/api/chat"))
    assert response.status == 403
    assert list(json.loads(response.body)) == ["error"]
