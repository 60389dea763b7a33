"""`penstock simulate-gpus`."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Penstock
from tests.cli.simulation.scenarios import FOLDER

SMALL: dict[str, Any] = {
    "apiVersion": "simulation.penstock.dev/v1alpha1",
    "kind": "GpuSimulation",
    "metadata": {"name": "tiny"},
    "spec": {
        "nodes": [
            {
                "name": "one",
                "gpus": [
                    {
                        "product": "NVIDIA-L4",
                        "memoryMiB": 23034,
                        "bandwidthGBs": 300,
                        "tflops": 121,
                        "usdPerHour": "0.71",
                    }
                ],
            }
        ],
        "providers": [
            {
                "name": "ollama",
                "models": [
                    {"name": "llama3.1:8b", "parallel": 4, "cloud": "cerebras/llama-3.1-8b"},
                    {"name": "llama3.2:3b", "parallel": 4},
                ],
            }
        ],
        "traffic": {
            "durationSeconds": 120,
            "streams": [
                {
                    "name": "chats",
                    "perHour": 600,
                    "models": [{"name": "llama3.1:8b"}, {"name": "llama3.2:3b"}],
                    "promptTokens": {"least": 10, "most": 100},
                    "outputTokens": {"least": 10, "most": 100},
                    "timeoutSeconds": 30,
                }
            ],
        },
    },
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path, yaml.safe_dump(SMALL))


def written(folder: Path, text: str) -> Path:
    file = folder / "simulation.yaml"
    file.write_text(text, "utf-8")
    return file


def changed(folder: Path, before: str, after: str) -> Path:
    text = yaml.safe_dump(SMALL, sort_keys=False)
    assert before in text
    return written(folder, text.replace(before, after))


def test_both_plans_stand_side_by_side(penstock: Penstock, file: Path) -> None:
    ended = penstock("simulate-gpus", "-f", file, "--seeds", 2)
    assert ended.code == 0
    for text in ("our plan", "naive plan", "utilisation", "timed out", "same tokens in the cloud"):
        assert text in ended.out
    assert "one: llama3.1:8b, llama3.2:3b" in ended.out


def test_json_has_every_run(penstock: Penstock, file: Path) -> None:
    found = penstock("simulate-gpus", "-f", file, "--seeds", 3, "--json").document
    assert (found["simulation"], found["seeds"]) == ("tiny", 3)
    assert [*found["plans"]] == ["ours", "naive"]
    ours = found["plans"]["ours"]
    assert len(ours["runs"]) == 3
    assert ours["middle"] in ours["runs"]
    assert ours["cost"]["unpriced"] == ["llama3.2:3b"]
    assert ours["cost"]["gpus_usd"] == pytest.approx(0.71 / 30)


def test_the_same_file_gives_the_same_result(penstock: Penstock, file: Path) -> None:
    first, second = (penstock("simulate-gpus", "-f", file, "--json").out for _ in range(2))
    assert first == second


def test_one_plan_may_be_asked_for(penstock: Penstock, file: Path) -> None:
    found = penstock(
        "simulate-gpus", "-f", file, "--seeds", 1, "--plan", "naive", "--json"
    ).document
    assert [*found["plans"]] == ["naive"]
    assert found["placement"] == []
    ended = penstock("simulate-gpus", "-f", file, "--plan", "best")
    assert (ended.code, ended.err) == (2, "penstock: --plan best: there are both, ours, naive\n")


def test_a_picture_is_drawn(penstock: Penstock, file: Path, tmp_path: Path) -> None:
    png = tmp_path / "out.png"
    assert penstock("simulate-gpus", "-f", file, "--seeds", 1, "--png", png).code == 0
    assert png.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_a_page_needs_nothing_else(penstock: Penstock, file: Path, tmp_path: Path) -> None:
    html = tmp_path / "out.html"
    assert penstock("simulate-gpus", "-f", file, "--seeds", 1, "--html", html).code == 0
    page = html.read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count("<svg") == 2, "for light and for dark"
    assert 'name="viewport"' in page
    light, dark = (set(re.findall(r"#([mp][0-9a-f]{10})", part)) for part in page.split("<svg")[1:])
    assert light
    assert light.isdisjoint(dark), "a hidden picture's parts are not drawn in the other"
    for loads in ("<script", "<link", "@import", "src=", "url(http"):
        assert loads not in page


def test_without_matplotlib_it_says_what_to_install(
    penstock: Penstock, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ended = penstock("simulate-gpus", "-f", file, "--seeds", 1, "--png", tmp_path / "out.png")
    assert ended.code == 1
    assert "pip install 'penstock[simulate]'" in ended.err
    assert penstock("simulate-gpus", "-f", file, "--seeds", 1).code == 0


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("bandwidthGBs: 300", "bandwidth: 300", "bandwidthGBs"),
        ("bandwidthGBs: 300", "bandwidthGBs: 300\n      speed: 7", "there is no such field"),
        ("tflops: 121", "tflops: -1", "greater than 0"),
        ("v1alpha1", "v1", "must be simulation.penstock.dev/v1alpha1"),
        (
            "timeoutSeconds: 30",
            "timeoutSeconds: 30\n      members: {least: 1, most: 3}",
            "3 different",
        ),
        (
            "least: 10\n        most: 100",
            "least: 10\n        most: 1",
            "most must not be below least",
        ),
        ("cerebras/llama-3.1-8b", "cerebras/nothing", "penstock prices list"),
        (
            "    - name: llama3.2:3b\n      parallel",
            "    - name: llama3.2:1b\n      parallel",
            "no provider",
        ),
        (
            "durationSeconds: 120",
            "durationSeconds: 120\n    shape: [0, 0]",
            "nothing would ever come",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(
    penstock: Penstock, tmp_path: Path, before: str, after: str, said: str
) -> None:
    file = changed(tmp_path, before, after)
    ended = penstock("simulate-gpus", "-f", file)
    assert ended.code == 1
    assert said in ended.err
    assert f"{file}:" in ended.err.replace("\n", "")


def test_one_ollama_has_one_number_for_all_its_models(penstock: Penstock, tmp_path: Path) -> None:
    """What one model is given all of them get, and take memory for."""
    file = changed(tmp_path, "parallel: 4\n      cloud", "parallel: 32\n      cloud")
    ended = penstock("simulate-gpus", "-f", file, "--plan", "ours", "--seeds", 1)
    assert "no place for" in ended.out


def test_a_file_without_a_simulation_is_refused(penstock: Penstock, tmp_path: Path) -> None:
    ended = penstock("simulate-gpus", "-f", written(tmp_path, "kind: ConfigMap\nmetadata: {}\n"))
    assert ended.code == 1
    assert "0 documents of kind GpuSimulation" in ended.err


def test_what_is_not_simulated_is_refused(penstock: Penstock, tmp_path: Path) -> None:
    file = changed(tmp_path, "  - name: ollama\n", "  - name: ollama\n    gpu: {count: 2}\n")
    ended = penstock("simulate-gpus", "-f", file)
    assert ended.code == 2
    assert "leave gpu.count at 1" in ended.err


def test_a_model_of_unknown_size_is_refused(penstock: Penstock, tmp_path: Path) -> None:
    file = changed(tmp_path, "llama3.2:3b", "our-own")
    ended = penstock("simulate-gpus", "-f", file)
    assert ended.code == 2
    assert "model our-own says nothing of its size" in ended.err


@pytest.mark.parametrize("name", ["laptop", "cluster"])
def test_the_examples_can_be_simulated(penstock: Penstock, name: str) -> None:
    file = FOLDER / f"gpu-{name}.yaml"
    found = penstock("simulate-gpus", "-f", file, "--seeds", 1, "--json").document
    assert found["simulation"] == name
    assert file.read_text("utf-8").startswith("# ")
