"""What the environment may say, and how it is told what is wrong with it."""

from pathlib import Path

import pytest

from penstock_embedder.errors import StartError
from penstock_embedder.redis_client import client_of
from penstock_embedder.settings import Settings

LEAST = {
    "PENSTOCK_EMBEDDER_SECRET": "hidden",
    "PENSTOCK_EMBEDDER_REDIS_URL": "redis://127.0.0.1:6379",
}


def test_every_field_has_its_variable() -> None:
    found = Settings.from_environment(
        LEAST
        | {
            "PENSTOCK_EMBEDDER_WORKERS": "3",
            "PENSTOCK_EMBEDDER_BATCH_MS": "0.5",
            "PENSTOCK_EMBEDDER_BACKEND": "torch",
            "PENSTOCK_EMBEDDER_REDIS_CA_FILE": "/ca.pem",
        }
    )
    assert (found.workers, found.batch_ms, found.backend) == (3, 0.5, "torch")
    assert found.redis_ca_file == Path("/ca.pem")
    assert found.cluster == "default"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SECRET", "", "PENSTOCK_EMBEDDER_SECRET is not set"),
        ("REDIS_URL", "", "PENSTOCK_EMBEDDER_REDIS_URL is not set"),
        ("WORKERS", "many", "PENSTOCK_EMBEDDER_WORKERS='many': expected a number"),
        ("WORKERS", "0", "PENSTOCK_EMBEDDER_WORKERS: expected at least 1"),
        ("BATCH_MS", "-1", "PENSTOCK_EMBEDDER_BATCH_MS='-1'"),
        ("BATCH_MS", "inf", "PENSTOCK_EMBEDDER_BATCH_MS='inf'"),
        ("BACKEND", "jax", "expected one of auto, onnx, torch"),
    ],
)
def test_what_is_wrong_names_its_variable(name: str, value: str, expected: str) -> None:
    with pytest.raises(StartError, match=r"^PENSTOCK_EMBEDDER_") as caught:
        Settings.from_environment(LEAST | {f"PENSTOCK_EMBEDDER_{name}": value})
    assert expected in str(caught.value)


def test_no_secret_is_shown() -> None:
    found = Settings(secret="hidden", redis_password="hidden", redis_sentinel_password="hidden")
    assert "hidden" not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1",
        "redis+ring://127.0.0.1",
        "redis://user:word@127.0.0.1",
        "redis://127.0.0.1:port",
        "redis://",
        "redis+sentinel://127.0.0.1",
    ],
)
def test_a_url_that_cannot_be_read_says_so_without_showing_it(url: str) -> None:
    with pytest.raises(StartError, match="PENSTOCK_EMBEDDER_REDIS_URL") as caught:
        client_of(Settings(redis_url=url))
    assert "word@" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["rediss://redis:6380/1", "unix:///run/redis.sock?db=2", "redis+sentinel://a,b/main"]
)
async def test_each_kind_of_url_becomes_a_client(url: str) -> None:
    await client_of(Settings(redis_url=url)).aclose()
