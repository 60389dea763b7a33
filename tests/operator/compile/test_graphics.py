"""What sidecars are told of an Ollama that we run."""

from typing import Any

import pytest

from penstock_config.provider import Managed
from penstock_operator.api.llm_provider import LLMProviderSpec
from penstock_operator.compile.graphics import (
    LOAD_BASE_SECONDS,
    LOAD_MIB_PER_SECOND,
    gpu_memory_bytes,
    managed,
    managed_warnings,
    on_replicas,
)
from penstock_operator.compile.providers import build_provider
from penstock_operator.ollama.memory.estimate import BYTES_PER_MIB
from tests.operator.compile.documents import provider

GPU = {"minMemoryMiB": 24_000, "headroomMiB": 4000}
SMALL = {"name": "llama3.2:1b"}
LARGE = {"name": "llama3.1:8b"}
HOUSE = {"name": "house"}
OF_ONE = Managed(
    on_demand=True,
    memory_bytes=24_000 * BYTES_PER_MIB,
    headroom_bytes=4000 * BYTES_PER_MIB,
)


def spec(**ollama: Any) -> LLMProviderSpec:
    return provider(baseURL=None, ollama={"models": [SMALL, LARGE], "gpu": GPU} | ollama).spec


def taken_bytes(found: LLMProviderSpec) -> int:
    return sum(each.vram_bytes or 0 for each in on_replicas(found).values())


def test_a_model_takes_weights_cache_and_buffers() -> None:
    found = on_replicas(spec())
    assert set(found) == {"llama3.2:1b", "llama3.1:8b"}
    weights = 4685 * BYTES_PER_MIB
    vram = found["llama3.1:8b"].vram_bytes
    assert vram is not None
    assert weights < vram < 1.4 * weights


def test_loading_takes_a_while_and_longer_the_larger_it_is() -> None:
    seconds = [each.load_seconds for each in on_replicas(spec()).values()]
    assert seconds == [
        pytest.approx(LOAD_BASE_SECONDS + mib / LOAD_MIB_PER_SECOND, abs=0.1)
        for mib in (1253, 4685)
    ]


def test_a_server_gives_all_its_models_the_same_requests_at_once() -> None:
    one = on_replicas(spec())
    four = on_replicas(spec(models=[SMALL, LARGE | {"parallel": 4}]))
    assert [each.parallel for each in four.values()] == [4, 4]
    assert all((four[name].vram_bytes or 0) > (one[name].vram_bytes or 0) for name in (*one,))


def test_what_is_not_known_is_not_counted_and_the_rest_is() -> None:
    found = on_replicas(spec(models=[HOUSE, SMALL]))
    house = found["house:latest"]
    assert (house.vram_bytes, house.load_seconds) == (None, None)
    assert found["llama3.2:1b"].vram_bytes is not None


def test_on_cpu_no_graphics_memory_is_taken_and_loading_takes_as_long() -> None:
    here, there = on_replicas(spec(gpu=None)), on_replicas(spec())
    assert all(each.vram_bytes is None for each in here.values())
    assert [e.load_seconds for e in here.values()] == [e.load_seconds for e in there.values()]
    assert gpu_memory_bytes(spec(gpu=None)) is None


def test_more_gpus_have_more_buffers() -> None:
    assert taken_bytes(spec(gpu=GPU | {"count": 2})) > taken_bytes(spec())


def test_what_the_author_says_of_a_gpu_bounds_what_is_loaded_on_demand() -> None:
    of_one = 20_000 * BYTES_PER_MIB
    assert gpu_memory_bytes(spec(loading="OnDemand")) == of_one
    assert gpu_memory_bytes(spec(loading="OnDemand", replicas=3)) == 3 * of_one
    scaled = spec(loading="OnDemand", autoscaling={"min": 0, "max": 4})
    assert gpu_memory_bytes(scaled) == of_one
    assert gpu_memory_bytes(spec(loading="OnDemand", gpu={})) is None


def test_where_all_stay_loaded_there_is_room_for_all() -> None:
    small = spec(gpu={"minMemoryMiB": 2000})
    assert gpu_memory_bytes(small) == taken_bytes(small)
    assert gpu_memory_bytes(spec(gpu={})) == taken_bytes(spec())
    assert gpu_memory_bytes(spec(gpu={}, models=[HOUSE])) is None


@pytest.mark.parametrize(
    ("ollama", "told"),
    [
        ({}, Managed()),
        ({"keepAliveSeconds": 60}, Managed(keep_alive_seconds=60)),
        ({"replicas": 0}, Managed(may_be_cold=True)),
        ({"autoscaling": {"min": 0, "max": 2}}, Managed(may_be_cold=True)),
        ({"autoscaling": {"max": 2, "onCold": "Fallback"}}, Managed(on_cold="Fallback")),
    ],
)
def test_a_managed_provider_says_how_it_is_woken(ollama: dict[str, Any], told: Managed) -> None:
    assert managed(spec(**ollama)) == told


@pytest.mark.parametrize(
    ("ollama", "told"),
    [
        ({}, OF_ONE),
        ({"replicas": 3}, OF_ONE),
        (
            {"gpu": {"minMemoryMiB": 8000, "headroomMiB": 500, "count": 2}},
            Managed(
                on_demand=True,
                memory_bytes=16_000 * BYTES_PER_MIB,
                headroom_bytes=1000 * BYTES_PER_MIB,
            ),
        ),
        (
            {"gpu": GPU | {"sharing": "TimeSliced"}},
            OF_ONE.model_copy(update={"one_at_a_time": True}),
        ),
        ({"gpu": {"headroomMiB": 0}}, Managed(on_demand=True)),
        ({"gpu": None}, Managed()),
    ],
)
def test_models_that_take_turns_do_so_in_the_memory_of_one_replica(
    ollama: dict[str, Any], told: Managed
) -> None:
    assert managed(spec(loading="OnDemand", **ollama)) == told


def test_an_ollama_of_somebody_else_is_not_managed() -> None:
    own = provider().spec
    assert (managed(own), gpu_memory_bytes(own), on_replicas(own)) == (None, None, {})
    assert list(managed_warnings(provider())) == []


def test_a_model_of_unknown_size_is_a_warning_on_a_gpu_alone() -> None:
    ollama = {"models": [SMALL, HOUSE], "gpu": GPU}
    names = [{"name": "llama3.2:1b"}, {"name": "house"}]
    (warning,) = managed_warnings(provider(baseURL=None, ollama=ollama, models=names))
    assert (warning.reason, warning.severity) == ("SizeUnknown", "warning")
    assert warning.path == "spec.ollama.models[1]"
    assert "parameterCount" in warning.message
    on_cpu = ollama | {"gpu": None}
    assert list(managed_warnings(provider(baseURL=None, ollama=on_cpu, models=names))) == []


def test_a_model_that_no_replica_has_is_a_warning() -> None:
    found = provider(baseURL=None, ollama={"models": [SMALL]}, models=[{"name": "other"}])
    (warning,) = managed_warnings(found)
    assert (warning.reason, warning.path) == ("ModelNotFound", "spec.models[0]")


@pytest.mark.parametrize(
    ("run", "served"), [("mistral:latest", "mistral"), ("mistral", "mistral:latest")]
)
def test_a_model_without_a_tag_is_its_latest(run: str, served: str) -> None:
    ollama = {"models": [{"name": run, "parallel": 3}], "gpu": GPU}
    found = provider(baseURL=None, ollama=ollama, models=[{"name": served}])
    assert list(managed_warnings(found)) == []
    (model,) = build_provider(found, {}, loopback_allowed=False).config.models
    assert model.parallel == 3
    assert model.vram_bytes is not None
