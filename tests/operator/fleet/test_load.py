"""What sidecars have at replicas goes back to all of them."""

from penstock_config.fleet import Fleet, Replica
from penstock_operator.fleet.replicas import with_load


def test_each_replica_carries_what_all_sidecars_have_there() -> None:
    replicas = tuple(
        Replica(name=name, address="http://10.0.0.7:11434", ready=True) for name in ("a", "b")
    )
    told = with_load(Fleet(at=1, replicas=replicas, wanted=2, message="m"), {"a": 3, "gone": 9})
    assert [(each.name, each.in_flight) for each in told.replicas] == [("a", 3), ("b", 0)]
    assert (told.at, told.wanted, told.message) == (1, 2, "m")
