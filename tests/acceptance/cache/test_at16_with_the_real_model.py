"""AT16 with the embedder as it ships: the real model, through a whole sidecar, at the defaults.

A few of each kind, to show that the parts fit; `make eval-cache` measures.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from penstock_cli.stub import Ok
from tests.conftest import running_redis
from tests.embedder.process import EmbedderProcess, running_embedder
from tests.planes.meaning import Meaning, meaning, said
from tests.planes.plane import NAMESPACE
from tests.servers.binaries import any_server

KEPT = (
    "How do I open a savings account?",
    "Where can I buy a train ticket from Berlin to Prague?",
    "Remind me to call the dentist at 5 pm tomorrow",
    "Is the library open on public holidays?",
    "Set the living room lights to 40 percent",
    "Answer in one word: what is a fjord?",
)
SAME = (
    "How can I open a savings account?",
    "Where can I buy a train ticket from Berlin to Prague",
    "please remind me to call the dentist at 5 pm tomorrow",
    "Is the library open on public holidays ?",
)
OTHER = (
    "How do I close a savings account?",
    "Where can I buy a train ticket from Prague to Berlin?",
    "Remind me to call the dentist at 6 pm tomorrow",
    "Is the library not open on public holidays?",
    "Set the living room lights to 60 percent",
    "Set the bedroom lights to 40 percent",
    "Answer as a list: what is a fjord?",
)


@pytest.fixture(scope="module")
def embedder(
    embedder_python: Path, embedder_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[EmbedderProcess, str]]:
    folder = tmp_path_factory.mktemp("meaning")
    with (
        running_redis(any_server(), folder) as url,
        running_embedder(
            embedder_python, url, folder / "embedder", model=embedder_model, cluster="test"
        ) as running,
    ):
        yield running, url


@pytest.fixture
async def cache(embedder: tuple[EmbedderProcess, str], tmp_path: Path) -> AsyncIterator[Meaning]:
    """With every question of `KEPT` answered, and told."""
    process, redis_url = embedder
    async with meaning(tmp_path, redis_url) as found:
        await found.publish_with(process.access(NAMESPACE, "test"))
        for question in KEPT:
            found.plane.main.always(Ok(text=f"About: {question}"))
            await found.ask(question)
        await found.settled()
        yield found


async def test_at16_paraphrases_are_answered_and_other_questions_are_not(cache: Meaning) -> None:
    assert [said(await cache.ask(text)) for text in SAME] == ["hit-semantic"] * len(SAME)
    assert [said(await cache.ask(text)) for text in OTHER] == ["miss"] * len(OTHER)


async def test_at16_answers_about_a_subject_are_taken_away(cache: Meaning) -> None:
    assert await cache.remove(similar="opening a savings account", least="0.8") >= 1
    await cache.settled()
    assert said(await cache.ask(SAME[0])) == "miss"
    assert said(await cache.ask(SAME[3])) == "hit-semantic"
