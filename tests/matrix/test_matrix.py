"""Every caller's dialect, over every type of provider, in every scene: the whole of what the
provider is sent, and the whole of what the caller gets."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.matrix.expected import answer_file, expected_asked, told
from tests.matrix.world import CASES, Case, World, body_of, running_world

pytestmark = pytest.mark.asyncio(loop_scope="module")
ASKED_FOR_USAGE = "openai-chat"
"""Whose streams are told to end with their usage, whatever the caller said."""


def _passes(case: Case) -> bool:
    """One dialect on both sides: the caller's bytes, but for the model's name."""
    told_of_usage = case.caller == ASKED_FOR_USAGE and case.scene.stream
    return case.caller.startswith(case.kind.dialect) and not told_of_usage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running_world(tmp_path_factory.mktemp("matrix")) as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_request_is_translated_there_and_back(world: World, case: Case) -> None:
    response, requests = await world.asked(case)
    assert told(response, case) == answer_file(case).read_text("utf-8")
    expected = expected_asked(case)
    if expected is None:
        assert requests == []
        assert response.status == 400
        return
    assert len(requests) == 1
    kind = case.kind
    streamed_path = kind.streamed_path or kind.path
    assert requests[0].path == (streamed_path if case.scene.stream else kind.path)
    assert requests[0].body == expected
    if _passes(case):
        sent = body_of(case).replace(case.name.encode(), kind.model.encode())
        assert requests[0].raw == sent
