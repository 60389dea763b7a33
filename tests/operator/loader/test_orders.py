"""Orders that change, models that are made, and what nobody has ordered any more."""

from pathlib import Path
from typing import Any

from tests.fakes.ollama import FakeOllama
from tests.fakes.ollama.store import Store
from tests.operator.loader.pod import loader_beside, order, pod_of, script

SMALL, OTHER, MADE = "llama3.2:1b", "qwen3:4b", "support:latest"


def made(name: str = MADE, **create: Any) -> dict[str, Any]:
    return order(name, source="modelfile", create=create)


def weights(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"GGUF" + text.encode())
    return str(path)


def names(store: Store) -> list[str]:
    return [manifest.name for manifest in store.models()]


async def test_a_new_order_is_taken_without_a_restart_and_the_old_is_deleted_later(
    tmp_path: Path,
) -> None:
    async with pod_of(tmp_path, order(SMALL), loader={"garbage_seconds": 0.5}) as pod:
        await pod.until_ready()
        pod.write(order(OTHER))
        await pod.until_state(OTHER, "Ready")
        while pod.asked("/api/delete") != [SMALL]:
            await pod.fake.request(len(pod.fake.requests) + 1)
        await pod.until_ready()
        assert names(pod.fake.store) == [OTHER]


async def test_who_serves_goes_on_while_a_further_model_comes(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order(SMALL), pull_seconds=0.5) as pod:
        await pod.until_ready()
        pod.write(order(SMALL), order(OTHER))
        progress = await pod.until(lambda p: any(m.state == "Pulling" for m in p.models))
        assert progress.ready
        assert await pod.get("/readyz") == (200, f"{OTHER}: Pulling")
        await pod.until_state(OTHER, "Ready")
        pod.fake.evict(OTHER, next_load_seconds=0.2)
        await pod.until(lambda p: not p.ready)


async def test_who_serves_goes_on_while_another_of_its_models_is_loaded(tmp_path: Path) -> None:
    """More is asked for it now: what has changed is which one is to be in memory."""
    async with pod_of(tmp_path, order(SMALL), order(OTHER, loaded=False)) as pod:
        await pod.until_ready()
        pod.fake.evict(OTHER, next_load_seconds=0.5)
        pod.write(order(SMALL, loaded=False), order(OTHER))
        progress = await pod.until(lambda p: any(m.state == "Loading" for m in p.models))
        assert progress.ready
        await pod.until_state(OTHER, "Ready")


async def test_garbage_is_kept_for_a_while_for_others_may_have_ordered_it(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order(SMALL)) as pod:
        await pod.until_ready()
        pod.write(order(OTHER))
        await pod.until_state(OTHER, "Ready")
        assert sorted(names(pod.fake.store)) == sorted([SMALL, OTHER])
        assert pod.asked("/api/delete") == []


async def test_where_nothing_is_ordered_nothing_is_deleted(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order(SMALL), loader={"garbage_seconds": 0.01}) as pod:
        await pod.until_ready()
        pod.write()
        await pod.until(lambda progress: progress.models == ())
        pod.write(order(SMALL))
        await pod.until_ready()
        assert pod.asked("/api/delete") == []


async def test_a_model_is_made_of_another_that_is_pulled_first_and_kept(tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        "from_": SMALL,
        "system": "You help.",
        "parameters": [["temperature", "0.2"], ["num_ctx", "8192"], ["stop", "A"], ["stop", "B"]],
    }
    async with pod_of(tmp_path, made(**asked), loader={"garbage_seconds": 0.01}) as pod:
        await pod.until_ready()
        (body,) = pod.fake.bodies("/api/create")
        assert body["from"] == SMALL
        assert body["system"] == "You help."
        assert body["parameters"] == {"temperature": 0.2, "num_ctx": 8192, "stop": ["A", "B"]}
        assert "template" not in body
        assert names(pod.fake.store) == [SMALL, MADE]
    assert pod.asked("/api/pull") == [SMALL]


async def test_models_of_the_same_weights_are_both_ready_though_one_is_listed(
    tmp_path: Path,
) -> None:
    async with pod_of(tmp_path, order(SMALL), made(from_=SMALL)) as pod:
        progress = await pod.until_ready()
        assert [m.state for m in progress.models] == ["Ready", "Ready"]
        assert progress.models[0].vram_bytes == progress.models[1].vram_bytes > 0
    assert pod.loads == [SMALL]


async def test_a_changed_recipe_makes_the_model_anew_and_serves_meanwhile(tmp_path: Path) -> None:
    async with pod_of(tmp_path, made(from_=SMALL, system="One.")) as pod:
        before = (await pod.until_ready()).models[0]
        pod.write(made(from_=SMALL, system="Two."))
        after = await pod.until(lambda p: p.models[0].digest != before.digest)
        assert after.ready
        await pod.until_state(MADE, "Ready")
        assert names(pod.fake.store) == [SMALL, MADE]
    assert [body["system"] for body in pod.fake.bodies("/api/create")] == ["One.", "Two."]
    assert pod.asked("/api/delete") == [f"{MADE}.former"]  # with its layers


async def test_a_made_model_is_not_made_again_at_the_next_start(tmp_path: Path) -> None:
    async with FakeOllama(script(tmp_path)) as fake:
        for _ in range(2):
            async with loader_beside(fake, tmp_path, made(from_=SMALL)) as pod:
                await pod.until_ready()
    assert len(pod.asked("/api/create")) == 1


async def test_adapters_are_uploaded_once_and_again_when_they_change(tmp_path: Path) -> None:
    adapter = tmp_path / "models" / "adapters" / "tone.gguf"
    weights(adapter, "first")
    orders = made(from_=SMALL, adapterPath="adapters/tone.gguf")
    async with pod_of(tmp_path, orders) as pod:
        await pod.until_ready()
        (body,) = pod.fake.bodies("/api/create")
        assert isinstance(body["adapters"], dict)
        (first,) = body["adapters"].values()
        assert list(body["adapters"]) == ["tone.gguf"]
        assert pod.fake.uploads == [first]
        weights(adapter, "second")
        await pod.until(lambda p: not p.ready or p.models[0].state != "Ready")
        await pod.until_state(MADE, "Ready")
    assert len(pod.fake.bodies("/api/create")) == 2
    assert len(pod.fake.uploads) == 2


async def test_weights_in_a_file_become_a_model(tmp_path: Path) -> None:
    path = weights(tmp_path / "volume" / "tuned.gguf", "tuned")
    orders = order("tuned", source="gguf", create={"ggufPath": path})
    async with pod_of(tmp_path, orders) as pod:
        await pod.until_ready()
        (body,) = pod.fake.bodies("/api/create")
        assert isinstance(body["files"], dict)
        assert list(body["files"]) == ["tuned.gguf"]
        assert "from" not in body


async def test_a_file_that_is_not_there_is_told_and_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "volume" / "tuned.gguf"
    orders = order("tuned", source="gguf", create={"ggufPath": str(path)})
    async with pod_of(tmp_path, orders) as pod:
        failed = await pod.until_state("tuned", "Failed")
        assert failed.message == f"{path}: there is no such file"
        weights(path, "tuned")
        await pod.until_ready()


async def test_a_file_that_is_none_of_weights_is_told_in_the_servers_words(tmp_path: Path) -> None:
    path = tmp_path / "tuned.gguf"
    path.write_text("a letter to the editor")
    orders = order("tuned", source="gguf", create={"ggufPath": str(path)})
    async with pod_of(tmp_path, orders) as pod:
        failed = await pod.until_state("tuned", "Failed")
        assert failed.message == "supplied file was not in GGUF format"


async def test_a_base_the_registry_does_not_know_fails_what_is_made_of_it(tmp_path: Path) -> None:
    async with pod_of(tmp_path, made(from_="missing:1b")) as pod:
        failed = await pod.until_state(MADE, "Failed")
        assert failed.message == "pull model manifest: file does not exist"
