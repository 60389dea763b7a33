"""Amounts of CPU and memory as Kubernetes writes them, as far as people do."""

import re
from decimal import Decimal
from typing import Final, Literal

Kind = Literal["cpu", "memory"]
WRITTEN: Final = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)([a-zA-Z]{0,2})", re.ASCII)
CPU_SUFFIXES: Final = {"": Decimal(1), "m": Decimal("0.001")}
MEMORY_SUFFIXES: Final = {
    "": Decimal(1),
    "k": Decimal(1000),
    "M": Decimal(1000) ** 2,
    "G": Decimal(1000) ** 3,
    "Ki": Decimal(1024),
    "Mi": Decimal(1024) ** 2,
    "Gi": Decimal(1024) ** 3,
}
SUFFIXES: Final = {"cpu": CPU_SUFFIXES, "memory": MEMORY_SUFFIXES}


def amount(kind: Kind, text: str) -> Decimal | None:
    """Cores or bytes; `None` for what is none."""
    found = WRITTEN.fullmatch(text)
    factor = SUFFIXES[kind].get(found[2]) if found else None
    return Decimal(found[1]) * factor if found and factor else None
