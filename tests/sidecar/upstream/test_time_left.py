"""How providers are told how long an answer is waited for."""

import asyncio
import socket
from dataclasses import replace

import pytest

from penstock_config.provider import ProviderType, Timeouts
from penstock_sidecar.errors import UpstreamConnectTooLate
from penstock_sidecar.upstream.time_left import time_left_headers
from tests.sidecar.upstream.conftest import Acme, read


@pytest.mark.parametrize(
    ("type_", "headers"),
    [
        ("openai", {"x-stainless-read-timeout": "2.500"}),
        ("azure-openai", {"x-stainless-read-timeout": "2.500"}),
        ("anthropic", {"x-stainless-read-timeout": "2.500"}),
        ("gemini", {"x-server-timeout": "3"}),
        ("ollama", {}),
    ],
)
def test_each_is_told_in_its_own_words(type_: ProviderType, headers: dict[str, str]) -> None:
    assert time_left_headers(type_, 2.5, stream=False) == headers


def test_a_stream_is_bounded_by_nobody_who_would_cut_it() -> None:
    assert time_left_headers("gemini", 2.5, stream=True) == {}
    assert time_left_headers("openai", 2.5, stream=True)


@pytest.mark.parametrize("seconds", [0, -3])
def test_a_time_that_is_over_is_told_as_the_least_there_is(seconds: float) -> None:
    assert time_left_headers("openai", seconds, stream=True) == {
        "x-stainless-read-timeout": "0.001"
    }
    assert time_left_headers("gemini", seconds, stream=False) == {"x-server-timeout": "1"}


async def test_whoever_cannot_connect_in_that_time_has_got_nothing(acme: Acme) -> None:
    """Nothing was sent, and nothing is charged; it says nothing against the provider."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        acme.base_url = f"https://127.0.0.1:{silent.getsockname()[1]}/v1"
        acme.timeouts = Timeouts(connect_seconds=60)
        until = asyncio.get_running_loop().time() + 0.05
        call = replace(acme.prepare(), until=until)
        with pytest.raises(UpstreamConnectTooLate) as caught:
            await read(acme.upstream(), call)
    assert caught.value.charged is False
    assert caught.value.public.endswith("could not be connected to in the time that was left")
