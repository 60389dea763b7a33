"""What the computation takes: never less than was measured."""

import pytest

from penstock_operator.api.ollama import OllamaModel
from penstock_operator.ollama.memory.buffers import RESERVE_MIB
from tests.operator.ollama.memory.published import known


@pytest.mark.parametrize(
    ("name", "context", "parallel", "measured_mib"),
    [
        ("gemma3:4b", 131_072, 1, 203),  # https://github.com/ollama/ollama/pull/17037
        ("gpt-oss:120b", 131_072, 2, 796),  # https://github.com/ollama/ollama/issues/16416
    ],
)
def test_buffers_are_no_smaller_than_what_a_server_reported(
    name: str, context: int, parallel: int, measured_mib: int
) -> None:
    need = known(OllamaModel(name=name, context_length=context, parallel=parallel))
    assert measured_mib <= need.overhead_mib - RESERVE_MIB < 2048


def test_each_gpu_needs_its_own() -> None:
    need = known(OllamaModel(name="llama3.1:70b"))
    assert need.total_mib(2) - need.total_mib(1) == need.overhead_mib > RESERVE_MIB
