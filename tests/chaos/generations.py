"""A later version of the sidecar, made of this one: other scripts, further fields in Redis."""

import shutil
from pathlib import Path
from typing import Final

import penstock_config
import penstock_sidecar

GROWTH: Final = "    put(STATE, '@seq', sequence() + 1)\n"
FURTHER: Final = f"{GROWTH}    put(STATE, '@later', now_of_later())\n"
BEGIN: Final = "local function sequence()\n"
CLOCK: Final = (
    "-- Told by a later version only.\n"
    "local function now_of_later()\n"
    "    return tonumber(call('TIME')[1])\n"
    "end\n\n"
)
FURTHER_FIELD: Final = "@later"


def later_code(folder: Path) -> Path:
    """Packages to run: each script has another name, and writes a field that is unknown here."""
    for package in (penstock_config, penstock_sidecar):
        (source,) = package.__path__
        shutil.copytree(source, folder / package.__name__)
    ledger = folder / "penstock_sidecar" / "limits" / "lua" / "ledger.lua"
    text = ledger.read_text()
    assert text.count(GROWTH) == text.count(BEGIN) == 1
    ledger.write_text(text.replace(GROWTH, FURTHER).replace(BEGIN, CLOCK + BEGIN))
    return folder
