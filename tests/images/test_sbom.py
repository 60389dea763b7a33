"""`make sbom`: the bill names what the image holds, neither more nor less."""

import importlib.util
import json
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.images.conftest import ROOT

LOCK = """\
always==1.0 \\
    --hash=sha256:00 \\
    --hash=sha256:01
old-python==2.0 ; python_full_version < '3.11.3' \\
    --hash=sha256:02
not-windows==3.0 ; sys_platform != 'win32' and platform_python_implementation != 'PyPy' \\
    --hash=sha256:03
"""
DOCKERFILE = "ARG PYTHON_IMAGE=registry.example/python:3.13-slim\n"


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbom", ROOT / ".ci" / "sbom.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_judges_markers_by_the_images_python_and_not_by_ours(sbom: ModuleType) -> None:
    taken = sbom.in_image(LOCK, DOCKERFILE)
    assert re.findall(r"^[a-z-]+", taken, re.MULTILINE) == ["always", "not-windows"]
    assert " ; " not in taken
    assert taken.count("--hash") == 3
    older = sbom.in_image(LOCK, DOCKERFILE.replace("3.13", "3.10"))
    assert "old-python==2.0 \\\n    --hash=sha256:02\n" in older


@pytest.mark.parametrize(
    ("part", "left_out"),
    [
        ("operator", {"async-timeout==5.0.1"}),
        ("sidecar", set()),
        (
            "embedder",
            {"async-timeout==5.0.1", "colorama==0.4.6", "httpx2-jsfetch==1.0", "numpy==2.4.6"},
        ),
    ],
)
def test_it_understands_every_entry_of_the_locks(
    part: str, left_out: set[str], sbom: ModuleType
) -> None:
    lock = (ROOT / "requirements" / f"{part}.txt").read_text("utf-8")
    entries = {pin for pin, _, _ in sbom.ENTRY.findall(lock)}
    assert entries == set(re.findall(r"^\S+==\S+", lock, re.MULTILINE))
    taken = sbom.in_image(lock, (ROOT / sbom.DOCKERFILES[part]).read_text("utf-8"))
    assert entries - set(re.findall(r"^\S+==\S+", taken, re.MULTILINE)) == left_out


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_sidecars_bill_has_each_package_with_version_and_licence(
    sbom: ModuleType, tmp_path: Path
) -> None:
    subprocess.run(["make", "--no-print-directory", ".venvs/sbom/.ready"], cwd=ROOT, check=True)
    program = [ROOT / ".venvs" / "sbom" / "bin" / "python", ROOT / ".ci" / "sbom.py"]
    subprocess.run([*program, "sidecar", tmp_path / "new" / "bill.json"], check=True)
    bill = json.loads((tmp_path / "new" / "bill.json").read_text("utf-8"))

    lock = (ROOT / "requirements" / "sidecar.txt").read_text("utf-8")
    dockerfile = (ROOT / "sidecar" / "Dockerfile").read_text("utf-8")
    wanted = re.findall(r"^(\S+)==(\S+)", sbom.in_image(lock, dockerfile), re.MULTILINE)
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "penstock"
    assert sorted((canonical(c["name"]), c["version"]) for c in bill["components"]) == wanted
    assert all(c["licenses"] and c["purl"].startswith("pkg:pypi/") for c in bill["components"])
