"""The entry point: quick, quiet about what it does not need, honest when it ends."""

import subprocess
import sys

import pytest

from tests.cli.conftest import Penstock

LEFT_OUT = ("kopf", "kubernetes", "cryptography", "torch", "numpy")
BLOCKED = """
import sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None
from penstock_cli.__main__ import main
main(sys.argv[2:])
"""
LATE = """
import sys
import penstock_cli.__main__
print(*(name for name in sys.modules), sep=chr(10))
"""


def _python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_help_loads_nothing_that_it_does_not_print() -> None:
    loaded = set(_python(LATE).stdout.split())
    assert loaded.isdisjoint({"pydantic", "yaml", "aiohttp", "redis", "watchfiles", *LEFT_OUT})


@pytest.mark.parametrize("command", ["validate", "config", "explain"])
def test_a_command_runs_without_what_local_mode_leaves_out(command: str) -> None:
    ended = _python(BLOCKED, ",".join(LEFT_OUT), command, "-f", "operator/penstock_cli/demo")
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [("validate",), ("no-such-command",), ("validate", "--no-such-option"), ("up", "-f", "-")],
)
def test_a_wrong_command_line_ends_with_2(penstock: Penstock, arguments: tuple[str, ...]) -> None:
    assert penstock(*arguments).code == 2


def test_every_command_has_help(penstock: Penstock) -> None:
    for command in ("validate", "config", "explain", "up", "demo"):
        ended = penstock(command, "--help")
        assert ended.code == 0
        assert "--" in ended.out
