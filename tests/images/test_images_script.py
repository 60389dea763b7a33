"""`make images`: which program builds, and what it is told."""

import tomllib

import pytest

from tests.images.conftest import ROOT, Programs
from tests.images.dockerfile import DOCKERFILES

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
STOPPED = {"info": ("Cannot connect to the Docker daemon", 1)}


def builds(programs: Programs) -> list[str]:
    return [call for call in programs.calls if " build " in call]


def test_all_images_are_tagged_with_the_version_and_named_on_standard_output(
    programs: Programs,
) -> None:
    programs.add("docker")
    done = programs.run("images")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [f"penstock-{part}:{VERSION}" for part in DOCKERFILES]
    for (part, path), call in zip(DOCKERFILES.items(), builds(programs), strict=True):
        assert f"--tag penstock-{part}:{VERSION} --file {path} ." in call
        assert f"--build-arg VERSION={VERSION} --build-arg REVISION=" in call


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (["docker", "podman", "buildah"], "docker"),
        (["docker-stopped", "podman", "buildah"], "podman"),
        (["docker-stopped", "buildah"], "buildah"),
    ],
)
def test_the_first_program_that_works_builds(
    there: list[str], chosen: str, programs: Programs
) -> None:
    for name in there:
        programs.add(name.removesuffix("-stopped"), STOPPED if "stopped" in name else {})
    assert programs.run("images").returncode == 0
    assert {call.split()[0] for call in builds(programs)} == {chosen}


def test_without_any_of_them_it_says_what_to_install(programs: Programs) -> None:
    done = programs.run("images")
    assert done.returncode == 1
    assert "install podman or buildah" in done.stderr
    assert done.stdout == ""


def test_a_base_a_mirror_a_registry_and_a_tag_can_be_given(programs: Programs) -> None:
    programs.add("podman")
    done = programs.run(
        "images",
        PYTHON_IMAGE="registry.example/python:3.13",
        PIP_INDEX_URL="https://mirror.example/simple",
        IMAGE_REGISTRY="registry.example/team",
        IMAGE_TAG="try",
        BUILD_FLAGS="--pull --no-cache",
    )
    assert done.stdout.splitlines()[1] == "registry.example/team/penstock-sidecar:try"
    given = "--build-arg PYTHON_IMAGE=registry.example/python:3.13 "
    given += "--build-arg PIP_INDEX_URL=https://mirror.example/simple --pull --no-cache"
    assert all(call.startswith(f"podman build {given} ") for call in builds(programs))
    assert f"--build-arg VERSION={VERSION} " in builds(programs)[0]


def test_a_build_that_fails_ends_it(programs: Programs) -> None:
    programs.add("buildah", {"build": ("no space left", 125)})
    done = programs.run("images")
    assert done.returncode == 125
    assert len(builds(programs)) == 1
    assert done.stdout == ""
