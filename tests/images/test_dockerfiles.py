"""The rules that our Dockerfiles keep. What comes out of them is looked at by `make e2e`."""

import fnmatch
import json
import re
from pathlib import Path

import pytest

from tests.images.dockerfile import DOCKERFILES, instructions, last_stage, values

ROOT = Path(__file__).parents[2]
USERS = {"embedder": "65532:65532", "operator": "65532:65532", "sidecar": "41414:41414"}
pytestmark = pytest.mark.parametrize("part", sorted(USERS))


def dockerfile(part: str) -> Path:
    return ROOT / DOCKERFILES[part]


def test_every_stage_is_built_on_the_base_that_was_given(part: str) -> None:
    found = instructions(dockerfile(part))
    assert found[0].name == "ARG"
    assert found[0].value == "PYTHON_IMAGE=docker.io/library/python:3.13-slim"
    assert [base.split(" AS ")[0] for base in values(found, "FROM")] == ["${PYTHON_IMAGE}"] * 2


def test_it_runs_as_its_own_numeric_user(part: str) -> None:
    """`runAsNonRoot` can judge numbers alone."""
    final = last_stage(instructions(dockerfile(part)))
    assert values(final, "USER") == [USERS[part]]
    assert [each.name for each in final][-3:] == ["USER", "EXPOSE", "ENTRYPOINT"]


def test_it_runs_its_program_and_no_shell(part: str) -> None:
    final = last_stage(instructions(dockerfile(part)))
    (entry,) = values(final, "ENTRYPOINT")
    assert json.loads(entry) == [f"/opt/penstock/bin/penstock-{part}"]
    assert values(final, "CMD") == []


def test_the_last_stage_only_copies_what_was_built(part: str) -> None:
    """So no tool of the build, no cache and no build argument is in it."""
    final = last_stage(instructions(dockerfile(part)))
    assert values(final, "COPY") == ["--from=build /opt/penstock /opt/penstock"]
    assert values(final, "RUN") == []
    assert values(final, "ARG") == ["PYTHON_IMAGE", "VERSION=0.0.0", "REVISION=unknown"]


def test_every_library_comes_from_the_lock_by_hash(part: str) -> None:
    commands = " && ".join(values(instructions(dockerfile(part)), "RUN")).split(" && ")
    installs = [each for each in commands if re.search(r"/pip\b.* (install|download) ", each)]
    locked = [each for each in installs if "--require-hashes" in each]
    assert sorted(re.findall(r"-r requirements/(\w+)\.txt", " ".join(locked))) == sorted(
        ["build", part]
    )
    assert [each.split()[-2:] for each in installs if each not in locked] == [
        ["--no-deps", "/dist/*.whl"]
    ]
    assert all("--no-deps --no-build-isolation" in e for e in commands if "/pip wheel" in e)


def test_nothing_is_fetched_that_no_hash_names(part: str) -> None:
    found = instructions(dockerfile(part))
    assert values(found, "ADD") == []
    text = "\n".join(f"{each.name} {each.value}" for each in found)
    assert re.findall(r"://|:latest|\b(?:curl|wget|git|apt-get|apk)\b", text) == []


def test_it_needs_no_file_system_to_write_to_and_no_home(part: str) -> None:
    final = last_stage(instructions(dockerfile(part)))
    environment = dict(re.findall(r"(\w+)=(\S+)", " ".join(values(final, "ENV"))))
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"
    assert environment["PYTHONPYCACHEPREFIX"] == "/opt/penstock/bytecode"
    assert environment["HOME"] == "/nonexistent"
    assert environment["PATH"].startswith("/opt/penstock/bin:")


def test_it_says_what_it_is(part: str) -> None:
    (label,) = values(last_stage(instructions(dockerfile(part))), "LABEL")
    labels = dict(re.findall(r'org\.opencontainers\.image\.([\w.]+)="([^"]*)"', label))
    assert labels.keys() == {
        *("title", "description", "licenses", "version", "revision", "base.name"),
    }
    assert labels["title"] == f"penstock-{part}"
    assert labels["version"] == "${VERSION}"


def test_what_it_copies_is_let_in(part: str) -> None:
    """`.dockerignore` refuses all that it does not name."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = [rule[1:] for rule in rules if rule.startswith("!")]
    copies = values(instructions(dockerfile(part)), "COPY")
    wanted = [path for copy in copies if "--from" not in copy for path in copy.split()[:-1]]
    assert wanted
    assert [path for path in wanted if not (ROOT / path).exists()] == []
    assert [w for w in wanted if not any(fnmatch.fnmatch(w, rule) for rule in allowed)] == []


def test_each_has_the_code_of_its_own_plane_alone(part: str) -> None:
    copied = " ".join(values(instructions(dockerfile(part)), "COPY"))
    packages = set(re.findall(r"penstock_\w+", copied))
    beside = {"penstock_agent"} if part == "operator" else set()
    assert packages == {"penstock_config", f"penstock_{part}"} | beside
