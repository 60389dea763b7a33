"""The sidecar starts before an app and ends after it, whatever the app has still to do."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock_cli.stub import Ok, StubProvider
from penstock_operator.injection.template import Mode
from penstock_sidecar.app import Sidecar
from penstock_sidecar.settings import Settings
from tests.operator.injection.pods import MODES, env_of, injected, pod, sidecar_of
from tests.planes.plane import Files, chat
from tests.planes.pod_life import PORTS, living
from tests.ports import free_port
from tests.sidecar.http.edge import exchange, head, post

STARTS = 100
STREAMING = """
import signal
from openai import OpenAI
ended = []
signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
with OpenAI(max_retries=0) as client:
    messages = [{"role": "user", "content": "hello"}]
    for piece in client.chat.completions.create(model="fast", messages=messages, stream=True):
        if piece.choices and (text := piece.choices[0].delta.content):
            print(text.strip(), flush=True)
    assert ended
    late = client.chat.completions.create(model="fast", messages=messages)
    print("late", late.choices[0].message.content, flush=True)
"""
JOB = """
import sys, urllib.request
from openai import OpenAI
with OpenAI(max_retries=0) as client:
    messages = [{"role": "user", "content": "hello"}]
    answer = client.chat.completions.create(model="fast", messages=messages)
    print(answer.choices[0].message.content)
urllib.request.urlopen(f"http://localhost:{sys.argv[1]}/quit", data=b"")
"""


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[Files]:
    async with StubProvider() as main, StubProvider() as backup:
        found = Files(tmp_path, main, backup, None)
        found.write()
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
async def test_pain_03_a_stream_and_a_late_call_end_well_and_the_sidecar_ends_last(
    files: Files, mode: Mode
) -> None:
    pieces = asyncio.Semaphore(1)
    files.main.queue(Ok(text="one two three", each=pieces), Ok(text="at last"))
    async with living(mode, files.folder, STREAMING) as life:
        assert await life.say() == "one"
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            end = tasks.create_task(life.end())
            while await life.readiness() == 200:
                pass
            assert not end.done()
            for _ in range(2):
                pieces.release()
            said = [await life.say() for _ in range(3)]
            assert said == ["two", "three", "late at last"]
            assert await life.app.wait() == 0
            if mode == "native":  # elsewhere it is a guess of a few seconds
                assert life.sidecar.returncode is None, "it outlives the app"
        assert life.sidecar.returncode == 0


@pytest.mark.slow
async def test_pain_01_a_job_without_native_sidecars_completes_by_quit(files: Files) -> None:
    """Every container of the pod ends with 0, and its restart policy starts none again."""
    files.main.always(Ok(text="done"))
    async with (
        asyncio.timeout(60),
        living("container", files.folder, JOB, restartPolicy="Never") as life,
    ):
        assert await life.say() == "done"
        assert await life.app.wait() == 0
        assert await life.sidecar.wait() == 0


@pytest.mark.slow
async def test_pain_02_an_app_s_first_call_is_answered_a_hundred_times_of_a_hundred(
    files: Files,
) -> None:
    """At once after the startup probe's success, without a retry."""
    files.main.always(Ok(text="done"))
    for _ in range(STARTS):
        settings = _settings(files.folder)
        sidecar = Sidecar(settings)
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            start = tasks.create_task(sidecar.start())
            await _ready(settings.probe_port)
            answer = await exchange(settings.port, post(json.dumps(chat()).encode()))
            assert answer.status == 200
            await start
        await sidecar.close()


@pytest.mark.parametrize("mode", MODES)
def test_what_the_injector_tells_the_sidecar_is_what_it_reads(mode: Mode) -> None:
    said = env_of(sidecar_of(injected(pod(), mode)))
    read = {f"PENSTOCK_{each.name.upper()}" for each in dataclasses.fields(Settings)}
    assert set(said) <= read
    found = Settings.from_environment({key: value or "x" for key, value in said.items()})
    assert (found.app, found.journal_dir) == ("shop", Path("/var/lib/penstock"))
    mounted = {each["mountPath"] for each in sidecar_of(injected(pod(), mode))["volumeMounts"]}
    folders = (found.config_dir, found.credentials_dir, found.pod_info_dir, found.journal_dir)
    assert mounted == set(map(str, folders))


def _settings(folder: Path) -> Settings:
    application, probe, admin = (free_port() for _ in PORTS)
    return Settings(
        config_dir=folder,
        credentials_dir=folder,
        pod_info_dir=folder,
        namespace="team",
        port=application,
        probe_host="127.0.0.1",
        probe_port=probe,
        admin_port=admin,
    )


async def _ready(port: int) -> None:
    while True:
        try:
            if (await exchange(port, head("GET", "/readyz"))).status == 200:
                return
        except ConnectionError:
            await asyncio.sleep(0)
