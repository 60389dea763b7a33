"""What the environment may say."""

from dataclasses import fields
from pathlib import Path

import pytest

from penstock_sidecar.settings import FOREIGN, Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environment({}) == Settings()
    assert Settings.from_environment({"PENSTOCK_JOURNAL_DIR": ""}).journal_dir is None


def test_paths_are_paths_also_where_there_need_be_none() -> None:
    environment = {"PENSTOCK_JOURNAL_DIR": "/run/journal", "PENSTOCK_CONFIG_DIR": "/etc/config"}
    settings = Settings.from_environment(environment)
    assert settings.journal_dir == Path("/run/journal")
    assert settings.config_dir == Path("/etc/config")


def test_numbers_are_numbers() -> None:
    environment = {"PENSTOCK_PORT": "0", "PENSTOCK_DRAIN_SECONDS": "2.5"}
    settings = Settings.from_environment(environment)
    assert (settings.port, settings.drain_seconds) == (0, 2.5)


@pytest.mark.parametrize("field", [field.name for field in fields(Settings)])
def test_every_field_can_be_set(field: str) -> None:
    variable = FOREIGN.get(field, f"PENSTOCK_{field.upper()}")
    settings = Settings.from_environment({variable: "7"})
    assert str(getattr(settings, field)) in {"7", "7.0"}


def test_what_does_not_parse_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="PENSTOCK_PORT='http': expected int"):
        Settings.from_environment({"PENSTOCK_PORT": "http"})
