"""Ten thousand objects that came and went leave nothing behind."""

import gc
import tracemalloc
from pathlib import Path
from typing import Final

import penstock_operator
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.handlers.sources import CUSTOM, NAMESPACES, OTHERS, Notebook, Source
from tests.operator.handlers.bodies import Body, meta

OBJECTS = 10_000
LEFT_BYTES_PER_OBJECT = 16
"""Less than any entry of a dictionary; what interpreters keep for themselves is little more."""
OURS: Final = tuple(
    tracemalloc.Filter(inclusive=True, filename_pattern=f"{folder}/*")
    for folder in (*penstock_operator.__path__, Path(__file__).parent)
)
"""What other tests left running allocates too, wherever it is."""


def body(source: Source, number: int) -> Body:
    namespace = f"n{number}" if source.namespaced else ""
    return meta(source.resource.kind, f"o{number}", namespace, resourceVersion="1", uid=str(number))


def test_what_is_gone_takes_no_room() -> None:
    inventory = Inventory()
    notebook = Notebook(inventory)
    watched = (*CUSTOM, *OTHERS, NAMESPACES)

    def come_and_go(count: int) -> None:
        for number in range(count):
            source = watched[number % len(watched)]
            notebook.note(source, body(source, number))
            notebook.note(source, body(source, number), gone=True)

    come_and_go(OBJECTS // 10)
    gc.collect()
    tracemalloc.start()
    try:
        come_and_go(OBJECTS)
        gc.collect()
        snapshot = tracemalloc.take_snapshot().filter_traces(OURS)
    finally:
        tracemalloc.stop()
    left = snapshot.statistics("lineno")
    assert notebook.empty
    assert sum(each.size for each in left) <= OBJECTS * LEFT_BYTES_PER_OBJECT, left[:5]
    assert (inventory.objects, inventory.namespaces, inventory.pods) == ({}, {}, {})
    assert (inventory.published, inventory.scope_keys, inventory.redis_access) == ({}, {}, {})
