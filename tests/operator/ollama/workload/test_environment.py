"""Ollama's environment: what was planned with, and nothing that undoes it."""

from dataclasses import replace

import pytest

from penstock_operator.ollama.planner.types import Group, Need, Slot
from penstock_operator.ollama.workload.environment import environment
from tests.operator.ollama.workload.plans import Planned, read


def variables(planned: Planned, **further: str) -> dict[str, str]:
    ollama = planned.provider.spec.ollama
    assert ollama
    listed = environment(ollama, planned.groups[0], planned.needs, further)
    assert [each["name"] for each in listed] == sorted({each["name"] for each in listed})
    return {each["name"]: each["value"] for each in listed}


def with_group(planned: Planned, group: Group) -> Planned:
    return replace(planned, groups=(group,))


def test_one_server_s_numbers_are_the_largest_of_its_models() -> None:
    planned = read("on-demand")
    needs = {
        name: Need(name, 1, 1, 1, parallel=number, context_length=1000 * number)
        for number, name in enumerate("abcd", 1)
    }
    found = variables(replace(planned, needs=needs))
    assert found["OLLAMA_NUM_PARALLEL"] == "4"
    assert found["OLLAMA_CONTEXT_LENGTH"] == "4000"


def test_a_model_with_a_context_of_its_own_does_not_raise_the_others() -> None:
    planned = read("everything")
    longer = replace(planned.needs["tuned"], context_length=32768)
    own, both = planned.groups[1], replace(planned.groups[1], models=("nomic-embed-text", "tuned"))
    planned = replace(planned, needs={**planned.needs, "tuned": longer})
    assert variables(with_group(planned, both))["OLLAMA_CONTEXT_LENGTH"] == "16384"
    assert variables(with_group(planned, own))["OLLAMA_CONTEXT_LENGTH"] == "32768"


def test_nothing_that_a_user_adds_lets_prompts_out_or_moves_the_port() -> None:
    found = variables(read("one-gpu"), OLLAMA_NO_CLOUD="0", OLLAMA_HOST="127.0.0.1", MORE="1")
    assert found["OLLAMA_NO_CLOUD"] == "1"
    assert found["OLLAMA_HOST"] == "0.0.0.0:11434"
    assert found["MORE"] == "1"


def test_models_stay_for_ever_unless_it_is_said_how_long() -> None:
    assert variables(read("one-gpu"))["OLLAMA_KEEP_ALIVE"] == "-1"
    assert variables(read("everything"))["OLLAMA_KEEP_ALIVE"] == "600s"


@pytest.mark.parametrize(
    ("memory_mib", "most"),
    [(1124, "2"), (1500, "3"), (1800, "4"), (9000, "64")],
)
def test_on_demand_no_more_are_loaded_than_fit_together_and_one(memory_mib: int, most: str) -> None:
    """Whatever is loaded now, and whatever others hold: both come and go."""
    planned = read("on-demand")
    (group,) = planned.groups
    slot = replace(group.slots[0], memory_mib=memory_mib, foreign_mib=500)
    for loaded in (group.loaded, group.models):
        found = with_group(planned, replace(group, slots=(slot,), loaded=loaded))
        assert variables(found)["OLLAMA_MAX_LOADED_MODELS"] == most


def test_on_demand_on_cpu_one_is_loaded_and_one_more() -> None:
    planned = read("on-demand")
    on_cpu = replace(planned.groups[0], node=None, resources={}, slots=())
    assert variables(with_group(planned, on_cpu))["OLLAMA_MAX_LOADED_MODELS"] == "2"


def test_on_demand_a_shared_gpu_holds_no_more_than_is_planned() -> None:
    planned = read("on-demand")
    (group,) = planned.groups
    slot = Slot("nvidia.com/gpu.shared", 0, 23034, "NVIDIA-L4", "TimeSliced")
    shared = with_group(planned, replace(group, slots=(slot,), loaded=group.models[:1]))
    assert variables(shared)["OLLAMA_MAX_LOADED_MODELS"] == "1"


def test_several_gpus_are_all_used_and_one_is_not_spread() -> None:
    assert variables(read("everything"))["OLLAMA_SCHED_SPREAD"] == "1"
    assert "OLLAMA_SCHED_SPREAD" not in variables(read("one-gpu"))


def test_on_cpu_no_gpu_of_the_node_is_seen() -> None:
    """The image asks for all of them."""
    assert variables(read("on-cpu"))["NVIDIA_VISIBLE_DEVICES"] == "void"
    assert "NVIDIA_VISIBLE_DEVICES" not in variables(read("one-gpu"))


def test_a_shared_volume_is_not_pruned_by_a_server_that_starts() -> None:
    assert variables(read("on-cpu"))["OLLAMA_NOPRUNE"] == "1"
    assert "OLLAMA_NOPRUNE" not in variables(read("one-gpu"))
