"""What the planner is asked for, of a provider's spec."""

from typing import Any

from penstock_operator.ollama.planner.types import GpuWish, Toleration
from penstock_operator.ollama.wishes import wished
from tests.operator.compile.documents import provider


def managed(**ollama: Any) -> Any:
    spec = {"models": [{"name": "llama3.2:3b"}], "gpu": {}} | ollama
    return provider(ollama=spec, baseURL=None)


def test_needs_are_the_tables_or_the_formulas_with_what_is_asked_of_them() -> None:
    models = [{"name": "llama3.2:3b"}, {"name": "own:latest", "parameterCount": "8B"}]
    found = wished(managed(models=models), 2, priority=7, demand={"own:latest": 1.5})
    assert found.wish
    assert (found.wish.provider, found.wish.replicas, found.wish.priority) == ("llm/own", 2, 7)
    assert [(need.model, need.source, need.demand) for need in found.wish.needs] == [
        ("llama3.2:3b", "table", 0.0),
        ("own:latest", "formula", 1.5),
    ]


def test_the_whole_gpu_wish_is_handed_on() -> None:
    gpu = {
        "count": 2,
        "products": ["NVIDIA-L4"],
        "minMemoryMiB": 20000,
        "headroomMiB": 512,
        "sharing": "TimeSliced",
        "cpuFallback": True,
    }
    tolerations = [{"key": "team", "operator": "Exists"}]
    spec = managed(gpu=gpu, tolerations=tolerations, nodeSelector={"zone": "a"}, loading="OnDemand")
    wish = wished(spec, 1).wish
    assert wish
    assert wish.gpu == GpuWish(2, ("NVIDIA-L4",), 20000, 512, "TimeSliced", cpu_fallback=True)
    assert wish.tolerations == (Toleration("team", "Exists"),)
    assert (wish.node_selector, wish.loading) == ({"zone": "a"}, "OnDemand")


def test_a_model_of_unknown_size_is_left_out_and_said() -> None:
    models = [{"name": "llama3.2:3b"}, {"name": "mystery"}]
    found = wished(managed(models=models), 1)
    assert found.wish
    assert [need.model for need in found.wish.needs] == ["llama3.2:3b"]
    assert "parameterCount" in found.unknown["mystery"]
    nothing = wished(managed(models=models[1:]), 1)
    assert (nothing.wish, [*nothing.unknown]) == (None, ["mystery"])


def test_on_cpu_no_size_need_be_known() -> None:
    spec = managed(models=[{"name": "mystery", "parallel": 3}])
    on_cpu = spec.model_copy(
        update={
            "spec": spec.spec.model_copy(
                update={"ollama": spec.spec.ollama.model_copy(update={"gpu": None})}
            )
        }
    )
    found = wished(on_cpu, 1)
    assert found.unknown == {}
    assert found.wish
    assert (found.wish.gpu, found.wish.needs[0].total_mib()) == (None, 0)
    assert found.wish.needs[0].parallel == 3


def test_who_runs_elsewhere_has_no_wish() -> None:
    assert wished(provider(), 1).wish is None
