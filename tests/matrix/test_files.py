"""The matrix's files: all are used, and each says something of its own."""

from pathlib import Path

import pytest

from penstock_sidecar.dialects.features import Feature
from penstock_sidecar.dialects.ollama.write import LACKS as OLLAMA_LACKS
from tests.matrix.expected import answer_file, asked_file, expected_asked
from tests.matrix.world import CASES, HERE

WITHOUT_WORDS = [("ollama", "image-url", Feature.IMAGE_URL)]
LACKS = {"ollama": OLLAMA_LACKS}


def _files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (HERE / folder).rglob("*.*"))


def _name(path: Path) -> str:
    return str(path.relative_to(HERE))


def test_every_expectation_is_one_of_some_case() -> None:
    used = {answer_file(case) for case in CASES} | {asked_file(case) for case in CASES}
    assert [path for path in _files("answers", "asked") if path not in used] == []


def test_every_question_is_asked() -> None:
    asked = {HERE / "asks" / case.caller / f"{case.scene.ask}.json" for case in CASES}
    assert set(_files("asks")) == asked


@pytest.mark.parametrize(
    "path", [path for path in _files("answers", "asked") if path.stem.count(".")], ids=_name
)
def test_an_expectation_of_one_s_own_is_needed(path: Path) -> None:
    """It says something else than the common one, beside which it stands."""
    common = path.with_name(path.name.split(".")[0] + path.suffix)
    assert common.read_text("utf-8") != path.read_text("utf-8")


def test_the_only_refusals_are_those_of_the_table() -> None:
    """A provider that is not asked has no file for the question."""
    refused = {
        (case.caller, case.kind.type, case.scene.ask)
        for case in CASES
        if expected_asked(case) is None
    }
    assert refused == {
        (caller, type_, ask)
        for type_, ask, feature in WITHOUT_WORDS
        for caller in ("openai-chat", "anthropic-messages")
        if feature in LACKS[type_].refused
    }
