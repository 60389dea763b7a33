"""Log lines are JSON, and hold no text of anybody's."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from penstock_embedder import logs
from penstock_embedder.errors import StartError

PROMPT = "what my doctor said"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    found = io.StringIO()
    logs.configure("info", found)
    yield found
    root.handlers[:] = before
    root.setLevel(level)
    logging.getLogger(logs.OURS).setLevel(logging.NOTSET)


def test_an_event_has_a_name_and_fields(stream: io.StringIO) -> None:
    logging.getLogger("penstock_embedder.app").info("embedder.started", extra={"port": 4144})
    line = json.loads(stream.getvalue())
    assert (line["event"], line["port"], line["level"]) == ("embedder.started", 4144, "info")


def test_neither_an_exception_nor_a_library_says_a_text(stream: io.StringIO) -> None:
    try:
        int(PROMPT)
    except ValueError:
        logging.getLogger("penstock_embedder.http").exception("request.broken")
    logging.getLogger("tokenizers").error("%s", PROMPT, extra={"text": PROMPT})
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["error"] == "ValueError"
    assert any("test_logs.py" in place for place in first["places"])
    assert second["event"] == "library.tokenizers"
    assert PROMPT not in stream.getvalue()


def test_a_level_there_is_not_is_refused() -> None:
    with pytest.raises(StartError, match="expected one of debug, info"):
        logs.configure("loud")
