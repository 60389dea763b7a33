"""The loader beside a fake Ollama, over real HTTP and real files: what it brings about."""

import asyncio
from pathlib import Path

import pytest

from tests.fakes.ollama import FakeOllama
from tests.operator.loader.pod import loader_beside, order, pod_of, script

SMALL, OTHER = "llama3.2:1b", "qwen3:4b"


async def test_models_are_pulled_loaded_and_then_the_replica_is_ready(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order(SMALL), order(OTHER)) as pod:
        progress = await pod.until_ready()
        assert [m.state for m in progress.models] == ["Ready", "Ready"]
        for model in progress.models:
            assert model.digest
            assert 0 < model.size_bytes == model.vram_bytes
        assert await pod.get("/readyz") == (200, "ok")
        assert (await pod.get("/healthz"))[0] == 200
    assert pod.loads == [SMALL, OTHER]
    assert [body["keep_alive"] for body in pod.fake.bodies("/api/generate")] == [-1, -1]


async def test_a_pull_is_told_byte_by_byte_and_nothing_is_ready_meanwhile(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order(SMALL), pull_seconds=0.4) as pod:
        first = await pod.until(lambda p: any(m.completed_bytes for m in p.models))
        assert not first.ready
        assert await pod.get("/readyz") == (503, f"{SMALL}: Pulling")
        second = await pod.until(
            lambda p: p.models[0].completed_bytes > first.models[0].completed_bytes
        )
        assert second.models[0].state == "Pulling"
        assert second.models[0].completed_bytes < second.models[0].total_bytes
        await pod.until_ready()


async def test_one_is_pulled_at_a_time_and_others_are_loaded_meanwhile(tmp_path: Path) -> None:
    slow = f"slow-{OTHER}"
    async with pod_of(tmp_path, order(SMALL), order(slow), pull_seconds=0.2) as pod:
        await pod.until_state(SMALL, "Ready")
        assert (await pod.model(slow)).state == "Pulling"
    assert pod.fake.registry.most_at_once == 1


async def test_a_model_that_need_not_be_loaded_is_idle_and_the_replica_ready(
    tmp_path: Path,
) -> None:
    async with pod_of(tmp_path, order(SMALL, loaded=False)) as pod:
        progress = await pod.until_ready()
        assert [m.state for m in progress.models] == ["Idle"]
    assert pod.loads == []


async def test_embedding_models_are_loaded_by_embed_also_where_nobody_said_so(
    tmp_path: Path,
) -> None:
    orders = (order("nomic-embed-text", embeddings=True), order("mxbai-embed:335m"))
    async with pod_of(tmp_path, *orders) as pod:
        await pod.until_ready()
    assert pod.asked("/api/generate") == ["mxbai-embed:335m"]
    assert len(pod.asked("/api/embed")) == 2


async def test_a_name_without_a_tag_is_found_by_its_full_one(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order("library/Phi3")) as pod:
        progress = await pod.until_ready()
        assert [m.name for m in progress.models] == ["library/Phi3"]
    assert len(pod.asked("/api/pull")) == 1


async def test_who_left_memory_by_its_keep_alive_is_idle(tmp_path: Path) -> None:
    async with pod_of(tmp_path) as pod:
        pod.write(order(SMALL), keepAliveSeconds=1)
        await pod.until_state(SMALL, "Ready")
        await pod.until_state(SMALL, "Idle")
        assert (await pod.progress()).ready
    assert pod.loads == [SMALL]


async def test_what_was_evicted_is_unready_and_loaded_again(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order(SMALL)) as pod:
        await pod.until_ready()
        pod.fake.evict(SMALL, next_load_seconds=0.2)
        gone = await pod.until(lambda progress: not progress.ready)
        assert gone.models[0].state == "Loading"
        assert (await pod.get("/readyz"))[0] == 503
        await pod.until_ready()
    assert pod.loads == [SMALL, SMALL]


async def test_what_only_begins_to_load_is_not_ready_though_it_is_listed(tmp_path: Path) -> None:
    """Older servers list it as soon as it begins."""
    async with pod_of(tmp_path, order(SMALL), load_seconds=0.3, ps_waits=False) as pod:
        listed = await pod.until(lambda p: any(m.size_bytes for m in p.models))
        assert listed.models[0].state == "Loading"
        assert not listed.ready
        await pod.until_ready()


async def test_models_that_evict_each_other_are_not_loaded_without_end(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order(SMALL), order(OTHER), max_loaded_models=1) as pod:
        progress = await pod.until(lambda p: any(m.state == "Failed" for m in p.models))
        (failed,) = (m for m in progress.models if m.state == "Failed")
        assert "do not fit together" in failed.message
        assert not progress.ready
    assert len(pod.loads) <= 6


async def test_on_demand_who_made_room_for_another_is_idle(tmp_path: Path) -> None:
    orders = (order(SMALL), order(OTHER, loaded=False))
    async with pod_of(tmp_path, *orders, max_loaded_models=1) as pod:
        await pod.until_ready()
        other = pod.fake.store.find(OTHER)
        assert other is not None
        async with pod.fake.memory.using(other, None):
            await pod.until_state(OTHER, "Ready")
            assert (await pod.until_state(SMALL, "Idle")).vram_bytes == 0
            assert (await pod.progress()).ready
    assert pod.loads == [SMALL, OTHER]


async def test_a_model_partly_in_main_memory_is_ready_and_told(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order(SMALL), vram_bytes=300_000_000) as pod:
        (model,) = (await pod.until_ready()).models
        assert model.vram_bytes == 300_000_000 < model.size_bytes


async def test_after_a_restart_of_ollama_all_is_loaded_again(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order(SMALL), order(OTHER)) as pod:
        await pod.until_ready()
        await pod.fake.refuse()
        away = await pod.until(lambda progress: not progress.ready)
        assert "does not answer" in away.message
        assert [m.state for m in away.models] == ["Waiting", "Waiting"]
        await pod.fake.accept()
        await pod.until_ready()
    assert pod.loads == [SMALL, OTHER] * 2
    assert len(pod.asked("/api/pull")) == 2


async def test_it_waits_for_an_ollama_that_is_not_there_yet(tmp_path: Path) -> None:
    async with FakeOllama(script(tmp_path)) as fake:
        await fake.refuse()
        async with loader_beside(fake, tmp_path, order(SMALL)) as pod:
            await pod.until_state(SMALL, "Waiting")
            assert (await pod.get("/healthz"))[0] == 200
            await fake.accept()
            await pod.until_ready()


async def test_a_loader_that_starts_again_pulls_and_loads_nothing_twice(tmp_path: Path) -> None:
    async with FakeOllama(script(tmp_path)) as fake:
        for _ in range(2):
            async with loader_beside(fake, tmp_path, order(SMALL)) as pod:
                await pod.until_ready()
    assert pod.asked("/api/pull") == [SMALL]
    assert pod.loads == [SMALL]


async def test_a_load_that_takes_long_leaves_the_others_known(tmp_path: Path) -> None:
    """`/api/ps` answers only when nothing loads."""
    async with pod_of(tmp_path, order(SMALL)) as pod:
        await pod.until_ready()
        async with pod.fake.memory.loading:
            pod.write(order(SMALL), order(OTHER))
            await pod.until_state(OTHER, "Loading")
            assert (await pod.model(SMALL)).state == "Ready"
        await pod.until_ready()


@pytest.mark.parametrize("state", ["Pulling", "Loading"])
async def test_it_ends_at_once_whatever_it_does(tmp_path: Path, state: str) -> None:
    pull, load = (60, 0) if state == "Pulling" else (0, 60)
    async with pod_of(tmp_path, order(SMALL), pull_seconds=pull, load_seconds=load) as pod:
        await pod.until_state(SMALL, state)
        begun = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - begun < 5
