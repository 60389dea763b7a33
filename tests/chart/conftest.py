"""Without Helm these tests are skipped by name."""

from pathlib import Path

import pytest

from tests.chart.rendering import NONE, program

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if program() is None:
        for item in items:
            if item.path.is_relative_to(HERE):
                item.add_marker(pytest.mark.skip(reason=NONE))
