import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from penstock_sidecar.telemetry.logs import JsonFormatter, Sparing, configure

OURS = "penstock_sidecar.somewhere"


def record(level: int = logging.INFO, name: str = OURS, msg: str = "a.b", **extra: Any) -> Any:
    made = logging.LogRecord(name, level, __file__, 1, msg, None, None)
    vars(made).update(extra)
    return made


def line(made: logging.LogRecord) -> dict[str, Any]:
    text = JsonFormatter().format(made)
    assert "\n" not in text
    parsed = json.loads(text)
    assert isinstance(parsed, dict)
    return parsed


def test_a_line_is_an_event_with_fields() -> None:
    parsed = line(record(msg="cache.stored", bytes=17, tier="fast"))
    assert parsed.pop("time").endswith("+00:00")
    assert parsed == {"level": "info", "event": "cache.stored", "bytes": 17, "tier": "fast"}


def test_an_exception_is_its_class_and_places_and_never_its_text() -> None:
    try:
        int("sk-secret")
    except ValueError:
        parsed = line(record(exc_info=sys.exc_info()))
    assert parsed["error"] == "ValueError"
    assert "test_logs.py" in parsed["places"][0]
    assert "sk-secret" not in str(parsed)


def test_a_library_s_text_is_left_out() -> None:
    made = record(logging.ERROR, "aiohttp.server", "Error handling %r")
    made.args = ("a prompt",)
    parsed = line(made)
    assert parsed["event"] == "library.aiohttp.server"
    assert "prompt" not in str(parsed)


def test_a_secret_prints_as_asterisks() -> None:
    assert "sk-secret" not in str(line(record(key=SecretStr("sk-secret"))))


def test_one_error_per_event_name_and_second_passes_with_the_count_of_others() -> None:
    now = 100.0
    sparing = Sparing(lambda: now)

    def passes(msg: str) -> Any:
        made = record(logging.ERROR, msg=msg)
        return made if sparing.filter(made) else None

    assert [bool(passes("redis.away")) for _ in range(5)] == [True] + [False] * 4
    assert passes("other.event")
    now += 1
    again = passes("redis.away")
    assert again.suppressed == 4


def test_lines_below_warnings_all_pass() -> None:
    sparing = Sparing(lambda: 0.0)
    assert all(sparing.filter(record(logging.INFO)) for _ in range(5))


@pytest.fixture
def loggers_restored() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("penstock_sidecar")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.mark.usefixtures("loggers_restored")
def test_ours_at_the_level_asked_for_and_libraries_from_warnings_on() -> None:
    stream = io.StringIO()
    configure("info", stream)
    logging.getLogger(OURS).info("ours.info")
    logging.getLogger(OURS).debug("ours.debug")
    logging.getLogger("aiohttp").info("theirs")
    logging.getLogger("aiohttp").warning("theirs")
    events = [json.loads(text)["event"] for text in stream.getvalue().splitlines()]
    assert events == ["ours.info", "library.aiohttp"]


@pytest.mark.usefixtures("loggers_restored")
def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        configure("loud")
