"""Variables become fields by their names and types, and what is wrong is named."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from penstock_operator.environment import SettingsError, port, seconds, told


@dataclass(frozen=True)
class Settings:
    text: str = "as it was"
    names: tuple[str, ...] = ()
    path: Path = Path("/")
    other_path: Path | None = None
    choice: Literal["a", "b"] = "a"
    port: int = 1
    wait_seconds: float = 1
    long_wait_seconds: float = 1


PARSERS = {int: port, float: seconds(60), "long_wait_seconds": seconds(86_400)}


def read(environment: Mapping[str, str]) -> Settings:
    return told(Settings, environment, PARSERS, "OUR_")


def test_what_is_not_set_is_as_it_was() -> None:
    assert read({"OUR_TEXT": " ", "TEXT": "x", "OUR_TYPO": "x"}) == Settings()


def test_each_field_is_parsed_by_its_type() -> None:
    environment = {
        "OUR_TEXT": " x ",
        "OUR_PATH": "/some/where",
        "OUR_OTHER_PATH": "else",
        "OUR_CHOICE": "b",
        "OUR_PORT": "0",
        "OUR_WAIT_SECONDS": "0.5",
    }
    found = read(environment)
    assert (found.text, found.choice, found.port, found.wait_seconds) == ("x", "b", 0, 0.5)
    assert (found.path, found.other_path) == (Path("/some/where"), Path("else"))


def test_lists_are_separated_by_commas() -> None:
    assert read({"OUR_NAMES": " a, b ,,c "}).names == ("a", "b", "c")


def test_a_field_s_own_parser_is_before_that_of_its_type() -> None:
    assert read({"OUR_LONG_WAIT_SECONDS": "61"}).long_wait_seconds == 61


@pytest.mark.parametrize("text", ["http", "-1", "65536", "8080.5"])
def test_what_is_no_port_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^OUR_PORT=.*: expected a port$"):
        read({"OUR_PORT": text})


@pytest.mark.parametrize("text", ["0", "-1", "nan", "soon", "60.5"])
def test_what_is_no_time_or_too_long_is_refused_by_name(text: str) -> None:
    expected = "expected seconds, more than 0 and at most 60"
    with pytest.raises(SettingsError, match=rf"^OUR_WAIT_SECONDS=.*: {expected}$"):
        read({"OUR_WAIT_SECONDS": text})


def test_what_is_none_of_the_choices_is_refused_with_them() -> None:
    with pytest.raises(SettingsError, match=r"^OUR_CHOICE='c': expected one of a, b$"):
        read({"OUR_CHOICE": "c"})
