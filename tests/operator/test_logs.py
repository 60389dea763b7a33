"""Log lines are JSON: a constant event and fields."""

import json
import logging

import pytest

from penstock_operator.logs import JsonFormatter


def line(record: logging.LogRecord) -> dict[str, object]:
    found: dict[str, object] = json.loads(JsonFormatter().format(record))
    return found


def test_fields_stand_beside_the_event() -> None:
    record = logging.makeLogRecord(
        {
            "name": "penstock_operator.x",
            "levelname": "INFO",
            "msg": "publish.done",
            "namespace": "shop",
        }
    )
    found = line(record)
    assert (found["event"], found["level"], found["logger"]) == (
        "publish.done",
        "info",
        "penstock_operator.x",
    )
    assert found["namespace"] == "shop"
    assert str(found["time"]).endswith("+00:00")


def test_an_exception_comes_with_its_traceback_on_one_line() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 / 0
    record = logging.makeLogRecord(
        {"name": "penstock_x", "msg": "x", "exc_info": (caught.type, caught.value, caught.tb)}
    )
    assert "\n" not in JsonFormatter().format(record)
    assert "ZeroDivisionError" in str(line(record)["exception"])


def test_a_value_that_is_no_json_is_shown_as_text() -> None:
    assert (
        line(logging.makeLogRecord({"name": "penstock_x", "msg": "x", "what": {1, 2}}))["what"]
        == "{1, 2}"
    )


def test_a_librarys_sentence_is_no_event() -> None:
    found = line(logging.makeLogRecord({"name": "kopf.x", "msg": "attempt %s", "args": (4,)}))
    assert (found["event"], found["message"]) == ("library.said", "attempt 4")
