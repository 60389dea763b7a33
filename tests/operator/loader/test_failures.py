"""What goes wrong beside a loader: it is said in the server's words, and tried again."""

import asyncio
from pathlib import Path

from tests.operator.loader.pod import order, pod_of

SMALL = "llama3.2:1b"


async def test_a_failing_pull_is_told_in_the_servers_own_words(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order("missing:1b"), order(SMALL)) as pod:
        failed = await pod.until_state("missing:1b", "Failed")
        assert failed.message == "pull model manifest: file does not exist"
        await pod.until_state(SMALL, "Ready")
        progress = await pod.progress()
        assert not progress.ready
        assert (await pod.get("/readyz"))[0] == 503


async def test_a_failing_pull_is_tried_again_with_growing_pauses(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order("missing:1b")) as pod:
        first, second, third = [(await pod.fake.request(number)).at for number in (1, 2, 3)]
        assert second - first > 0.2
        assert third - second > 0.4
        assert (await pod.until_state("missing:1b", "Failed")).message


async def test_addresses_in_the_words_lose_their_secrets(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order("leaky:1b")) as pod:
        message = (await pod.until_state("leaky:1b", "Failed")).message
        assert "registry.example/v2/library/leaky" in message
        assert "TLS handshake timeout" in message
        assert "hunter2" not in message
        assert "5ee1f00d" not in message


async def test_a_pull_whose_connection_is_cut_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order("cut:1b"), pull_seconds=0.2) as pod:
        failed = await pod.until_state("cut:1b", "Failed")
        assert failed.message
        again = await pod.until(lambda p: any(m.completed_bytes for m in p.models))
        assert again.models[0].completed_bytes * 2 >= again.models[0].total_bytes
        assert (await pod.until_ready()).models[0].message == ""


async def test_a_pull_that_stands_still_is_begun_again(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order("stuck:1b"), loader={"stall_seconds": 0.5}) as pod:
        await pod.until_ready()
        assert len(pod.asked("/api/pull")) > 1


async def test_a_pull_is_not_waited_for_without_end(tmp_path: Path) -> None:
    async with pod_of(tmp_path, pull_seconds=60) as pod:
        pod.write(order(SMALL), pullTimeoutSeconds=1)
        failed = await pod.until_state(SMALL, "Failed")
        assert failed.message == "not pulled within 1 s"


async def test_a_model_that_cannot_be_loaded_is_told_in_the_servers_words(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order("broken:1b")) as pod:
        failed = await pod.until_state("broken:1b", "Failed")
        assert failed.message == "llama runner process has terminated: exit status 2"
        assert failed.digest


async def test_the_words_stay_while_it_is_tried_again(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order("broken:1b"), load_seconds=0.3) as pod:
        words = (await pod.until_state("broken:1b", "Failed")).message
        assert (await pod.until_state("broken:1b", "Loading")).message == words


async def test_on_a_full_disk_garbage_is_deleted_at_once(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order(SMALL)) as pod:
        await pod.until_ready()
        pod.write(order("full:1b"))
        await pod.until_state("full:1b", "Ready")
        assert pod.asked("/api/delete") == [SMALL]


async def test_without_a_file_it_waits_and_says_so(tmp_path: Path) -> None:
    async with pod_of(tmp_path) as pod:
        progress = await pod.until(lambda p: "models.json" in p.message)
        assert not progress.ready
        assert pod.fake.requests == []
        pod.write(order(SMALL))
        assert (await pod.until_ready()).message == ""


async def test_a_bad_file_changes_nothing_and_is_said(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order(SMALL)) as pod:
        await pod.until_ready()
        pod.write_text('{"models": [{"name": 7}]}')
        progress = await pod.until(lambda p: bool(p.message))
        assert "models.0.name" in progress.message
        assert "the last good one is used" in progress.message
        assert progress.ready
        pod.write_text("{")
        await pod.until(lambda p: "Invalid JSON" in p.message)
        pod.write(order(SMALL))
        await pod.until(lambda p: p.message == "" and p.ready)


async def test_a_volume_that_cannot_be_locked_is_used_all_the_same(tmp_path: Path) -> None:
    nowhere = {"models_dir": tmp_path / "nowhere"}
    async with pod_of(tmp_path, order(SMALL), loader=nowhere) as pod:
        await pod.until_ready()


async def test_an_order_that_is_withdrawn_ends_its_pull(tmp_path: Path) -> None:
    async with pod_of(tmp_path, order("slow:1b"), pull_seconds=60) as pod:
        await pod.until_state("slow:1b", "Pulling")
        (pull,) = (seen for seen in pod.fake.requests if seen.path == "/api/pull")
        pod.write(order(SMALL, loaded=False))
        async with asyncio.timeout(10):
            await pull.disconnected.wait()
        await pod.until_state(SMALL, "Pulling")
