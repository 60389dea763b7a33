"""`make kind`, as far as it can be shown without Docker: against programs that note their calls."""

import re

import pytest
import yaml

from tests.images.conftest import ROOT, Programs

NODE = "node/penstock-worker2"
EXAMPLES = [
    *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("examples/[1-9]*.yaml"))),
    "examples/secrets.example.yaml",
]
HAPPENS = [
    "kind create cluster --config kind-config.yaml",
    "docker build",
    "docker build",
    "docker build",
    "kind load docker-image --name penstock penstock-operator:",
    f"kubectl --context kind-penstock patch {NODE} --subresource=status",
    "kubectl --context kind-penstock apply --filename examples/00-namespaces.yaml",
    "helm upgrade --install penstock charts/penstock --kube-context kind-penstock",
    *(f"kubectl --context kind-penstock apply --filename {name}" for name in EXAMPLES),
    "kubectl --context kind-penstock wait --for=condition=Accepted routepolicies",
]
LOOKS = re.compile(r"docker info|kind get|kubectl .* get (nodes|deployments|secret) ")
NOTHING_YET = {
    "--context kind-penstock get nodes": (NODE, 0),
    "--context kind-penstock --namespace platform get secret openai": ("", 1),
    "--context kind-penstock --namespace penstock-system get deployments": ("", 0),
}


@pytest.fixture
def all_there(programs: Programs) -> Programs:
    programs.add("docker")
    programs.add("kind", {"get clusters": ("another", 0)})
    programs.add("kubectl", NOTHING_YET)
    programs.add("helm")
    return programs


def deeds(programs: Programs) -> list[str]:
    return [call for call in programs.calls if not LOOKS.match(call)]


def test_it_goes_from_nothing_to_the_next_step(all_there: Programs) -> None:
    done = all_there.run("kind")
    assert done.returncode == 0, done.stderr
    for call, expected in zip(deeds(all_there), HAPPENS, strict=True):
        assert call.startswith(expected)
    assert "create secret generic openai" in done.stdout
    assert "kind delete cluster --name penstock" in done.stdout


def test_once_more_it_brings_new_images_and_keeps_cluster_and_keys(all_there: Programs) -> None:
    all_there.add("kind", {"get clusters": ("penstock", 0)})
    all_there.add(
        "kubectl",
        {
            "--context kind-penstock get nodes": (NODE, 0),
            "--context kind-penstock --namespace penstock-system get deployments": ("one", 0),
        },
    )
    assert all_there.run("kind").returncode == 0
    assert [call.split()[0] for call in deeds(all_there)][:4] == [*["docker"] * 3, "kind"]
    restart = (
        "kubectl --context kind-penstock --namespace penstock-system rollout restart deployment"
    )
    assert restart in deeds(all_there)
    assert not [call for call in all_there.calls if "secrets.example" in call]


def test_it_names_every_program_that_is_missing_and_does_nothing(programs: Programs) -> None:
    done = programs.run("kind")
    assert done.returncode == 1
    assert re.findall(r"^  (\w+).*: https://", done.stderr, re.MULTILINE) == [
        *("docker", "kind", "kubectl", "helm"),
    ]
    assert programs.calls == []


def test_docker_without_its_daemon_is_missing(all_there: Programs) -> None:
    all_there.add("docker", {"info": ("Cannot connect", 1)})
    done = all_there.run("kind")
    assert done.returncode == 1
    assert "docker, running" in done.stderr
    assert "helm" not in done.stderr
    assert deeds(all_there) == []


@pytest.mark.parametrize("fails", [("docker", "build"), ("kind", "create"), ("helm", "upgrade")])
def test_what_fails_ends_it_and_nothing_is_promised(
    fails: tuple[str, str], all_there: Programs
) -> None:
    program, begins = fails
    all_there.add(program, {begins: ("no", 3)})
    done = all_there.run("kind")
    assert done.returncode == 3
    assert deeds(all_there)[-1].startswith(f"{program} {begins}")
    assert "It runs" not in done.stdout


def test_the_images_are_those_that_the_chart_asks_for(all_there: Programs) -> None:
    """Another name would be pulled from a registry that has it not."""
    all_there.run("kind", IMAGE_REGISTRY="registry.example", IMAGE_TAG="other")
    (load,) = [call for call in all_there.calls if call.startswith("kind load")]
    chart = ROOT / "charts" / "penstock"
    images = yaml.safe_load((chart / "values.yaml").read_text("utf-8"))["images"]
    version = yaml.safe_load((chart / "Chart.yaml").read_text("utf-8"))["appVersion"]
    parts = [images[part] for part in ("operator", "sidecar", "embedder")]
    assert images["registry"] == ""
    assert load.split()[-3:] == [f"{p['repository']}:{p['tag'] or version}" for p in parts]
    assert {p["pullPolicy"] for p in parts} == {"IfNotPresent"}


def test_what_it_sets_and_names_exists(all_there: Programs) -> None:
    all_there.run("kind")
    (helm,) = [call for call in all_there.calls if call.startswith("helm")]
    values = yaml.safe_load((ROOT / "charts" / "penstock" / "values.yaml").read_text("utf-8"))
    keys = re.findall(r"--set (\w+)=", helm)
    assert keys == ["providerNamespaces"]
    assert keys[0] in values
    documents = yaml.safe_load_all((ROOT / "examples" / "00-namespaces.yaml").read_text("utf-8"))
    namespaces = {each["metadata"]["name"] for each in documents}
    assert namespaces == {"platform", "shop"}
    script = (ROOT / ".ci" / "kind").read_text("utf-8")
    assert set(re.findall(r"(?:-n|--namespace) ([a-z]+)\b", script)) == namespaces
    config = yaml.safe_load((ROOT / "kind-config.yaml").read_text("utf-8"))
    assert f"\ncluster={config['name']} " in script
