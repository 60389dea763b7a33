"""The embedder of `penstock up`: named, started where it is installed and wanted, or none."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock_cli.embedder import (
    ALL_OF,
    MODEL,
    ONE_OF,
    embedder_for,
    is_installed,
    is_wanted,
    named,
)
from penstock_cli.failure import WrongUsage
from penstock_operator.compile.snapshot import EmbedderSettings, RedisSettings
from tests.cli.resources import POLICY, write

URL, SECRET = "PENSTOCK_EMBEDDER_URL", "PENSTOCK_EMBEDDER_SECRET"
REDIS = RedisSettings(url="redis://127.0.0.1:6399/0", password="books")
TELLING = """\
import json, os, signal
print(json.dumps({k: v for k, v in os.environ.items() if k.startswith("PENSTOCK_")}), flush=True)
signal.pause()
"""
"""In the embedder's place: says what it was told."""


def only(*parts: str) -> Callable[[str], object]:
    return lambda name: name if name in parts else None


EVERYTHING = only(*ALL_OF, *ONE_OF, MODEL)


@pytest.fixture
def wanting(tmp_path: Path) -> str:
    """Files with a policy that finds answers by their meaning."""
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder, policy=POLICY + "  cache: {semantic: {}}\n")
    return str(folder)


def test_files_say_whether_one_is_wanted(wanting: str, tmp_path: Path) -> None:
    assert is_wanted((wanting,))
    write(tmp_path / "in")
    assert not is_wanted((wanting,))


def test_it_is_installed_with_one_way_to_run_a_model_and_a_model() -> None:
    assert is_installed({}, EVERYTHING)
    assert is_installed({}, only(*ALL_OF, ONE_OF[0], MODEL))
    assert not is_installed({}, only(*ALL_OF, MODEL))
    assert not is_installed({}, only(*ALL_OF[1:], *ONE_OF, MODEL))
    assert not is_installed({}, only(*ALL_OF, *ONE_OF))
    assert is_installed({"PENSTOCK_EMBEDDER_MODEL": "/m"}, only(*ALL_OF, *ONE_OF))


def test_one_that_runs_elsewhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("PEM")
    environment = {
        URL: "https://e:1",
        SECRET: "hush",
        "PENSTOCK_EMBEDDER_CA_FILE": str(tmp_path / "ca.pem"),
        "PENSTOCK_PROBE_PORT": "not looked at",
    }
    assert named(environment) == EmbedderSettings("https://e:1", "hush", "PEM")
    assert named({}) is None


@pytest.mark.parametrize("environment", [{URL: "e:1", SECRET: "hush"}, {URL: "http://e"}])
def test_one_that_is_named_wrongly_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(WrongUsage, match="PENSTOCK_EMBEDDER_"):
        named(environment)


async def test_one_of_our_own_is_told_where_it_is_and_what_to_use(
    wanting: str, tmp_path: Path
) -> None:
    package = tmp_path / "lib" / "penstock_embedder"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(TELLING)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(package.parent),
        "PENSTOCK_EMBEDDER_WORKERS": "2",
        "PENSTOCK_EMBEDDER_HOST": "0.0.0.0",
        "PENSTOCK_SECRET_MILL_KEY_API_KEY": "hush",
    }
    said: asyncio.Queue[str] = asyncio.Queue()
    async with embedder_for((wanting,), REDIS, said.put_nowait, environment, EVERYTHING) as found:
        assert found
        async with asyncio.timeout(20):
            told = json.loads(await said.get())
    assert found.url == f"http://127.0.0.1:{told['PENSTOCK_EMBEDDER_PORT']}"
    assert told == {
        "PENSTOCK_EMBEDDER_WORKERS": "2",
        "PENSTOCK_EMBEDDER_HOST": "127.0.0.1",
        "PENSTOCK_EMBEDDER_PORT": told["PENSTOCK_EMBEDDER_PORT"],
        "PENSTOCK_EMBEDDER_SECRET": found.secret,
        "PENSTOCK_EMBEDDER_CLUSTER": "local",
        "PENSTOCK_EMBEDDER_REDIS_URL": REDIS.url,
        "PENSTOCK_EMBEDDER_REDIS_PASSWORD": "books",
    }


@pytest.mark.parametrize("find", [only(), EVERYTHING], ids=["not-installed", "not-wanted"])
async def test_where_none_can_run_or_is_wanted_there_is_none(
    find: Callable[[str], object], wanting: str, tmp_path: Path
) -> None:
    if find is EVERYTHING:
        write(tmp_path / "in")
    async with embedder_for((wanting,), REDIS, print, {}, find) as found:
        assert found is None


async def test_one_that_is_named_is_not_started_again(wanting: str) -> None:
    environment = {URL: "http://e:1", SECRET: "hush"}
    async with embedder_for((wanting,), REDIS, print, environment, EVERYTHING) as found:
        assert found == EmbedderSettings("http://e:1", "hush")
