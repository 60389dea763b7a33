"""`docs/gpu-memory.md` shows what the code says. After a wanted change:

PENSTOCK_UPDATE_CASES=1 pytest tests/operator/ollama/memory/test_page.py
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from penstock_operator.compile.graphics import LOAD_BASE_SECONDS, LOAD_MIB_PER_SECOND
from penstock_operator.ollama.memory.buffers import LOGITS_BATCH, RESERVE_MIB
from penstock_operator.ollama.memory.cache import BATCHES, WIDEST, cache_bytes
from penstock_operator.ollama.memory.estimate import ADAPTER_MIB
from penstock_operator.ollama.memory.known import known_models
from penstock_operator.ollama.memory.quantisation import BITS
from tests.operator.ollama.memory.published import (
    MIB,
    by_formula,
    by_table,
    deviation,
    unlisted,
)

PAGE: Final = Path(__file__).parents[4] / "docs" / "gpu-memory.md"
UPDATE: Final = bool(os.environ.get("PENSTOCK_UPDATE_CASES"))


def percent(share: float) -> str:
    return f"{share * 100:+.1f} %"


def listed() -> Iterator[str]:
    yield "| model | parameters | cache | format | weights | published | differs by |"
    yield "|---|---|---|---|---|---|---|"
    for row in known_models():
        cache = cache_bytes(row.model, 4096, 1, "f16") / MIB
        head = f"`{row.names[0]}` | {row.model.parameters / 1e9:.2f}B | {cache:.0f} MiB"
        for said in row.published:
            need = by_table(row, said)
            size = f"[{said.megabytes:.0f} MB]({said.source})"
            off = percent(deviation(need, said.megabytes))
            yield f"| {head} | {said.quantisation} | {need.weights_mib} MiB | {size} | {off} |"


def by_the_formula() -> Iterator[str]:
    yield "| model | `parameterCount` | format | weights | published | differs by |"
    yield "|---|---|---|---|---|---|"
    for model in unlisted():
        need = by_formula(model)
        size = f"[{model.megabytes:.0f} MB]({model.source})"
        off = percent(deviation(need, model.megabytes))
        said = f"{model.name} | {model.parameter_count} | {model.quantisation}"
        yield f"| {said} | {need.weights_mib} MiB | {size} | {off} |"


def formats() -> Iterator[str]:
    yield "| type | bits per weight |"
    yield "|---|---|"
    yield from (f"| {name} | {bits:g} |" for name, bits in BITS.items())


SECTIONS: Final = {"formats": formats, "listed": listed, "formula": by_the_formula}


def mark(name: str) -> re.Pattern[str]:
    return re.compile(f"<!-- {name} -->\n(.*?)<!-- end -->", re.DOTALL)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_table_of_the_page_is_what_the_code_says(name: str) -> None:
    wanted = "".join(f"{line}\n" for line in SECTIONS[name]())
    text = PAGE.read_text("utf-8")
    if UPDATE:
        text = mark(name).sub(lambda _: f"<!-- {name} -->\n{wanted}<!-- end -->", text)
        PAGE.write_text(text, "utf-8")
    found = mark(name).search(text)
    assert found is not None
    assert found.group(1) == wanted


@pytest.mark.parametrize(
    "said",
    [
        f"{RESERVE_MIB} MiB",
        f"4 B x {LOGITS_BATCH} x (`embedding` + `vocabulary`)",
        f"parameters^(2/3) / {WIDEST}",
        f"{ADAPTER_MIB} MiB",
        f"{LOAD_BASE_SECONDS:g} s + weights / {LOAD_MIB_PER_SECOND} MiB/s",
        *(f"{batch} with more than {least}" for least, batch in BATCHES if least),
    ],
)
def test_the_page_has_the_numbers_of_the_code(said: str) -> None:
    assert said in PAGE.read_text("utf-8")
