"""One policy rules a pod: the first in order that selects it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_config.policy import Policy, Selector
from penstock_operator.compile.labels import selects
from penstock_operator.compile.rulings import never_ruling, power_of_two, rule_pods
from penstock_operator.compile.snapshot import PodLabels
from tests.operator.compile.steady import steady


def choosing(name: str, **labels: str) -> Policy:
    return Policy(id=f"n/{name}", selector=Selector(match_labels=labels), tiers=())


def pods(*labels: dict[str, str]) -> list[PodLabels]:
    return [PodLabels("n", f"pod-{index}", each) for index, each in enumerate(labels)]


def test_the_first_that_selects_a_pod_rules_it_and_the_others_learn_by_whom() -> None:
    policies = [choosing("a", app="x"), choosing("b", tier="y"), choosing("c")]
    found = rule_pods(policies, pods({"app": "x"}, {"app": "x", "tier": "y"}, {"tier": "y"}, {}))
    assert found.pods == {"n/a": 2, "n/b": 1, "n/c": 1}
    assert found.winners == {"n/b": ("n/a",), "n/c": ("n/a", "n/b")}


def test_a_policy_behind_a_wider_one_never_rules() -> None:
    policies = [choosing("a", app="x"), choosing("b", app="x", tier="y"), choosing("c", app="z")]
    found = [(loser.id, winner.id) for loser, winner in never_ruling([*policies, *policies[:1]])]
    assert found == [("n/b", "n/a"), ("n/a", "n/a")]


def test_a_narrower_policy_before_takes_not_all() -> None:
    assert not list(never_ruling([choosing("a", app="x", tier="y"), choosing("b", app="x")]))


def test_nothing_rules_behind_a_policy_for_all_pods() -> None:
    assert len(list(never_ruling([choosing("a"), choosing("b"), choosing("c", app="x")]))) == 2


LABELS = st.dictionaries(st.sampled_from("pqr"), st.sampled_from("xy"))


@steady
@given(wanted=st.lists(LABELS, max_size=4), carried=st.lists(LABELS, max_size=8))
def test_it_is_as_if_each_pod_were_judged_alone(
    wanted: list[dict[str, str]], carried: list[dict[str, str]]
) -> None:
    policies = [choosing(str(index), **labels) for index, labels in enumerate(wanted)]
    found = rule_pods(policies, pods(*carried))
    for policy in policies:
        first_for = [
            labels
            for labels in carried
            if next((p for p in policies if selects(p.selector, labels)), None) is policy
        ]
        assert found.pods.get(policy.id, 0) == len(first_for)


@pytest.mark.parametrize(
    ("count", "rounded"), [(0, 1), (1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (1000, 1024)]
)
def test_counts_are_rounded_up_to_a_power_of_two(count: int, rounded: int) -> None:
    assert power_of_two(count) == rounded
