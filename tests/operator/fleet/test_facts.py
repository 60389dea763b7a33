"""What follows from what is known of a managed provider."""

from penstock_operator.fleet.facts import memory_of
from penstock_operator.ollama.planner.types import Node, Slot
from tests.operator.fleet.things import group

WHOLE = Slot("nvidia.com/gpu", 0, 40_000, "A100", foreign_mib=100)
SHARED = Slot("nvidia.com/mig-1g.5gb.shared", 0, 4864, "A100", "TimeSliced")
SLICE = Slot("nvidia.com/mig-2g.10gb", 0, 9728, "A100", "MIG")


def test_what_is_shared_counts_once_and_each_slice_for_itself() -> None:
    node = Node("n1", (WHOLE, SHARED, SHARED, SLICE, SLICE))
    found = memory_of([node], [group(required_mib=1000, replicas=2), group("other", "n2")])
    total = 40_000 + 4864 + 2 * 9728
    assert found == {"n1": {"total": total, "planned": 2000, "foreign": 100}}
