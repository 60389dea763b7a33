"""Whose pods were to have a sidecar."""

from penstock_operator.delivery.missed import enabled_namespaces, missed_among
from tests.operator.delivery.test_pods import body

ON = {"penstock.dev/injection": "enabled"}


def test_namespaces_that_asked_are_enabled_but_for_the_systems_and_our_own() -> None:
    namespaces = {
        "shop": ON,
        "off": {"penstock.dev/injection": "disabled"},
        "plain": {},
        "kube-system": ON,
        "kube-public": ON,
        "penstock-system": ON,
    }
    assert [*enabled_namespaces(namespaces, "penstock-system")] == ["shop"]


def test_pods_without_a_sidecar_were_missed_but_for_static_ones_and_those_that_leave() -> None:
    bodies = [
        body(),
        body("penstock"),
        body(annotations={"kubernetes.io/config.mirror": "hash"}),
        body(deletionTimestamp="2026-01-01T00:00:00Z"),
    ]
    (missed,) = missed_among(bodies)
    assert missed.missed_by is not None
    assert missed.missed_by.kind == "Pod"
