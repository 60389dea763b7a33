"""AT26 over two versions of the sidecar, under the operator of either version.

A change is in effect in all sidecars without a dropped stream; what cannot be used leaves the last
good configuration; a rotated key is used; an unresolved reference denies.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from penstock_cli.stub import Ok, StubProvider
from penstock_config.codec import digest
from penstock_config.older import as_version_1, decode_version_1
from penstock_operator.cluster.client import Document
from tests.chaos.house import Sidecar
from tests.planes.plane import chat
from tests.sidecar.http.edge import Response, connection, exchange, post
from tests.skew.frozen import Frozen
from tests.skew.mixed import (
    NEWEST,
    NEWEST_SECRETS,
    OLDER,
    OLDER_SECRETS,
    PATIENCE_SECONDS,
    Files,
    Operator,
    Pods,
    documents,
    operator_before,
    pods,
    present_operator,
    publish,
    state,
    until,
)

pytestmark = pytest.mark.slow


@pytest.fixture(params=["before", "present"])
def operator(request: pytest.FixtureRequest, frozen: Frozen, redis_url: str) -> Operator:
    """Of the version before, and today's."""
    if request.param == "before":
        return operator_before(frozen, redis_url)
    return present_operator(redis_url)


@asynccontextmanager
async def served(
    folder: Path, code: Path, operator: Operator
) -> AsyncIterator[tuple[Pods, StubProvider]]:
    async with (
        StubProvider() as stub,
        pods(folder, code, await operator(documents(stub.url))) as both,
    ):
        yield both, stub


async def ask(sidecar: Sidecar, **fields: Any) -> Response:
    data = json.dumps(chat(**fields)).encode()
    return await exchange(sidecar.ports.application, post(data))


async def statuses(both: Pods, **fields: Any) -> list[int]:
    return [(await ask(sidecar, **fields)).status for sidecar in both.both]


async def begun(
    stack: AsyncExitStack, sidecar: Sidecar, stub: StubProvider
) -> tuple[asyncio.StreamReader, asyncio.Semaphore]:
    """A stream whose first word has come, and what lets the others go."""
    pieces = asyncio.Semaphore(1)
    stub.always(Ok(text="one two three", each=pieces))
    reader, writer = await stack.enter_async_context(connection(sidecar.ports.application))
    writer.write(post(json.dumps(chat(stream=True)).encode()))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await reader.readuntil(b"one")
    return reader, pieces


async def test_at26_an_edit_is_in_effect_in_both_and_drops_no_stream(
    tmp_path: Path, code: Path, operator: Operator
) -> None:
    async with AsyncExitStack() as stack:
        both, stub = await stack.enter_async_context(served(tmp_path, code, operator))
        streams = [await begun(stack, sidecar, stub) for sidecar in both.both]
        rule = {"name": "only", "match": {"models": ["fast"]}, "model": "gone"}
        await both.mount(await operator(documents(stub.url, rules=[rule])))
        refused = [await ask(sidecar) for sidecar in both.both]
        assert [answer.status for answer in refused] == [503, 503], "an unresolved model denies"
        for answer in refused:
            assert b"no tier that the policy names can serve model gone" in answer.body
        for reader, pieces in streams:
            pieces.release()
            pieces.release()
            async with asyncio.timeout(PATIENCE_SECONDS):
                rest = await reader.readuntil(b"[DONE]")
            assert b"two" in rest
            assert b"three" in rest
            assert b"error" not in rest


async def test_at26_a_file_that_cannot_be_used_leaves_the_last_good_one(
    tmp_path: Path, code: Path, operator: Operator
) -> None:
    async with served(tmp_path, code, operator) as (both, stub):
        files = await operator(documents(stub.url))
        before = [(await state(sidecar))["config_digest"] for sidecar in both.both]
        publish(both.volume, {**files, **spoiled(files)})
        for sidecar, good in zip(both.both, before, strict=True):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (found := await state(sidecar))["last_error"]:
                    pass
            assert found["config_digest"] == good
        assert await statuses(both) == [200, 200]
        await both.mount(files)
        for sidecar in both.both:
            await until(sidecar, last_error=None)


def spoiled(files: Files) -> dict[str, bytes]:
    return {name: files[name][:-9] for name in (OLDER, NEWEST) if name in files}


async def test_at26_a_rotated_key_is_used_by_both(
    tmp_path: Path, code: Path, operator: Operator
) -> None:
    async with served(tmp_path, code, operator) as (both, stub):
        assert await statuses(both) == [200, 200]
        files = await operator(documents(stub.url, "sk-second"))
        publish(both.volume, files)
        older = files[OLDER_SECRETS]
        await until(both.older, credentials_digest=digest(older))
        await until(both.newer, credentials_digest=digest(files.get(NEWEST_SECRETS, older)))
        assert await statuses(both) == [200, 200]
    keys = [seen.headers["authorization"] for seen in stub.requests]
    assert keys == ["Bearer sk-first"] * 2 + ["Bearer sk-second"] * 2


PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
WITH_PICTURE = [{"role": "user", "content": [{"type": "text", "text": "?"}, PICTURE]}]


def by_modality(url: str) -> Sequence[Document]:
    """What holds a picture has a rule of its own, of models that begin with f."""
    match = {"modalities": ["image"], "models": ["f*"]}
    return documents(url, rules=[{"name": "seen", "match": match, "tier": {"name": "pictures"}}])


async def test_an_operator_is_upgraded_and_rolled_back_under_both_versions(
    tmp_path: Path, code: Path, frozen: Frozen, redis_url: str
) -> None:
    """The version before leaves a rule out that it cannot judge; the present one has it served by
    new sidecars, and denied by old ones. What the rule does not concern is served throughout."""
    former, present = operator_before(frozen, redis_url), present_operator(redis_url)
    async with StubProvider() as stub:
        files = {each: await each(by_modality(stub.url)) for each in (former, present)}
        assert files[former].keys() == {OLDER, OLDER_SECRETS}
        assert files[present].keys() == {OLDER, NEWEST, OLDER_SECRETS, NEWEST_SECRETS}
        async with pods(tmp_path, code, files[former]) as both:
            for operator, with_picture in ((former, 200), (present, 503), (former, 200)):
                await both.mount(files[operator])
                older = await ask(both.older, messages=WITH_PICTURE)
                assert older.status == with_picture
                assert (b"restart the pod" in older.body) is (with_picture == 503)
                newer = await ask(both.newer, messages=WITH_PICTURE)
                tier = "pictures" if operator is present else "fast"
                assert (newer.status, newer.headers["x-penstock-tier"]) == (200, tier)
                assert await statuses(both, model="small") == [200, 200]
                for sidecar in both.both:
                    assert (await state(sidecar))["last_error"] is None


EVERY: Final = ["simple", "medium", "complex", "expert"]
FAST: Final = {"name": "fast"}


def choosing(url: str) -> Sequence[Document]:
    """What version 1 knows nothing of; `pictures` refuses what is worse than its only model."""
    rules = [
        {"name": "hard", "match": {"models": ["hard"], "complexity": EVERY}, "tier": FAST},
        {
            "name": "short",
            "match": {"models": ["short"]},
            "tier": FAST,
            "overrides": {"maxOutputTokens": 5},
        },
        {
            "name": "soon",
            "match": {"models": ["soon"]},
            "tier": FAST,
            "overrides": {"timeoutSeconds": 60},
        },
    ]
    told = documents(url, rules=rules, memory={}, images={"maxSidePixels": 512})
    specs = {(each["kind"], each["metadata"]["name"]): each.get("spec", {}) for each in told}
    specs["LLMProvider", "cloud"]["models"][0]["quality"] = "8.0"
    specs["ModelTier", "fast"] |= {"strategy": "LeastBusy", "hedge": {"afterMs": 60_000}}
    floors = [{"complexity": each, "minQuality": "7.0"} for each in EVERY]
    specs["ModelTier", "pictures"] |= {"floors": floors, "onNoFit": "Reject"}
    specs["RoutePolicy", "shop"]["rules"] += [
        {"name": "strict", "match": {"models": ["strict"]}, "tier": {"name": "pictures"}}
    ]
    return told


async def test_what_closes_is_denied_by_the_older_and_what_serves_comfort_is_not(
    tmp_path: Path, code: Path, redis_url: str
) -> None:
    async with StubProvider() as stub:
        files = await present_operator(redis_url)(choosing(stub.url))
        async with pods(tmp_path, code, files) as both:
            for name in ("soon", "fast", "small"):
                assert await statuses(both, model=name) == [200, 200], name
            for name in ("hard", "short", "strict"):
                assert await statuses(both, model=name) == [503, 200], name
                assert b"restart the pod" in (await ask(both.older, model=name)).body
            await ask(both.newer, model="short")
    assert stub.requests[-1].body["max_tokens"] == 5


async def test_a_present_configuration_says_the_same_in_both_versions(
    redis_url: str, frozen: Frozen
) -> None:
    """Both operators tell sidecars of version 1 the same, to the byte."""
    plain = documents("http://127.0.0.1:1")
    former = await operator_before(frozen, redis_url)(plain)
    present = await present_operator(redis_url)(plain)
    assert present[OLDER] == former[OLDER]
    assert present[OLDER_SECRETS] == former[OLDER_SECRETS]
    assert as_version_1(decode_version_1(former[OLDER])).data == former[OLDER]
