"""The speed model against what others measured: llama.cpp, tokens a second, one request.

github.com/XiongjieDai/GPU-Benchmarks-on-LLM-Inference (May 2024: Llama 3, Q4_K_M; December 2023:
Llama 2, Q4_0, marked so).
"""

from dataclasses import replace

import pytest

from penstock_cli.simulation.speed import (
    Device,
    Load,
    alone_seconds,
    load_seconds,
    prefill_seconds,
    step_seconds,
)


def device(memory_gb: int, gbs: float, tflops: float, share: float = 0.8) -> Device:
    return Device(
        name="some/0",
        node="some",
        product="some",
        memory_mib=memory_gb * 1024,
        bytes_per_second=gbs * share * 1e9,
        flops=tflops * 1e12,
        load_bytes_per_second=2e9,
        start_seconds=1.5,
    )


def model(billions: float, weights_gib: float, kv_mib: float = 64) -> Load:
    return Load("some", billions * 1e9, round(weights_gib * 1024), kv_mib, 0, 4, 1024)


RTX_3070 = device(8, 448, 81)
RTX_3090 = device(24, 936, 142)
RTX_4070_TI = device(12, 504, 160)
RTX_4080 = device(16, 717, 195)
RTX_4090 = device(24, 1008, 330)
A100 = device(80, 2039, 312, share=0.5)
LLAMA3_8B = model(8.03, 4.58)
LLAMA2_7B = model(6.74, 3.56)
LLAMA2_70B = model(69, 36.2, 160)


@pytest.mark.parametrize(
    ("gpu", "load", "tokens_per_second"),
    [
        (RTX_3070, LLAMA3_8B, 70.94),
        (RTX_4070_TI, LLAMA3_8B, 82.21),
        (RTX_4080, LLAMA3_8B, 106.22),
        (RTX_4090, LLAMA3_8B, 127.74),
        (A100, LLAMA2_7B, 136.24),
        (A100, LLAMA2_70B, 25.68),
    ],
)
def test_decoding_is_within_a_third_of_what_was_measured(
    gpu: Device, load: Load, tokens_per_second: float
) -> None:
    assert 1 / step_seconds(gpu, load, 1) == pytest.approx(tokens_per_second, rel=0.33)


@pytest.mark.parametrize(
    ("gpu", "load", "tokens_per_second"),
    [
        (RTX_3070, LLAMA3_8B, 2283.62),
        (RTX_4070_TI, LLAMA3_8B, 3653.07),
        (RTX_4080, LLAMA3_8B, 5064.99),
        (RTX_4090, LLAMA3_8B, 6898.71),
        (A100, LLAMA2_70B, 612.41),
    ],
)
def test_reading_a_prompt_is_no_faster_than_was_measured_and_half_as_fast_at_least(
    gpu: Device, load: Load, tokens_per_second: float
) -> None:
    assert 0.5 <= 1 / prefill_seconds(gpu, load, 1) / tokens_per_second <= 1.15


def test_a_batch_gives_more_but_not_so_many_times_more() -> None:
    """8B on an RTX 3090 with long contexts: 160 to 430 tokens/s of 2 to 8 requests
    (ggml-org/llama.cpp#17505); no request gets faster by company."""
    rates = [batch / step_seconds(RTX_3090, LLAMA3_8B, batch) for batch in (1, 2, 4, 8)]
    assert rates == sorted(rates)
    assert 2.5 < rates[3] / rates[0] < 5
    assert rates[3] / rates[1] == pytest.approx(430 / 160, rel=0.15)


def test_a_mixture_of_experts_reads_what_a_token_needs_and_all_of_it_in_a_large_batch() -> None:
    dense = model(46.7, 24.5)
    mixture = replace(dense, parameters=12.9e9, read_share=12.9 / 46.7)
    assert step_seconds(A100, mixture, 1) < 0.4 * step_seconds(A100, dense, 1)
    read = 24.5 * 2**30 / A100.bytes_per_second
    assert step_seconds(A100, mixture, 4) > read


def test_loading_takes_a_start_and_the_bytes() -> None:
    assert load_seconds(RTX_3070, LLAMA3_8B) == pytest.approx(1.5 + 4.58 * 2**30 / 2e9, rel=1e-3)


def test_alone_is_the_prompt_and_then_each_token() -> None:
    prompt = prefill_seconds(RTX_3070, LLAMA3_8B, 100)
    steps = 50 * step_seconds(RTX_3070, LLAMA3_8B, 1)
    assert alone_seconds(RTX_3070, LLAMA3_8B, 100, 50) == pytest.approx(prompt + steps)
