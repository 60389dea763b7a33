"""What each pod counts as."""

import pytest

from penstock_config.heartbeat import Heartbeat
from penstock_config.policy import Policy
from penstock_operator.compile.rulings import rule_pods
from penstock_operator.delivery.pods import SeenPod
from penstock_operator.delivery.standing import Counts, counts_by_policy, is_current, standing
from penstock_operator.plan import Published
from tests.operator.delivery.seen import OWNER, PUBLISHED, beat, pod, policy


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (beat(), "current"),
        (beat("older"), "stale"),
        (beat(credentials="older"), "stale"),
        (None, "stale"),
        (beat("older", error="not JSON"), "rejected"),
        (beat(error="labels: gone"), "rejected"),
    ],
)
def test_a_sidecar_stands_as_it_says(heard: Heartbeat | None, expected: str) -> None:
    assert standing(pod(), PUBLISHED, {"uid-p": heard}) == expected


def test_of_whom_nobody_could_ask_nothing_is_known() -> None:
    assert standing(pod(), PUBLISHED, {}) == "unknown"
    assert standing(pod(missed_by=OWNER), PUBLISHED, {}) == "stale", "there is nobody to ask"


def test_a_sidecar_that_reads_the_version_before_is_current_with_that() -> None:
    both = Published("config", "credentials", "older")
    assert is_current(beat("config"), both)
    assert is_current(beat("older"), both)
    assert not is_current(beat("of-yesterday"), both)
    assert not is_current(beat("older", "of-yesterday"), both)
    secrets = Published("config", "credentials", "older", "older-credentials")
    assert is_current(beat("older", "older-credentials"), secrets)
    assert is_current(beat("config", "credentials"), secrets)


def test_nobody_is_current_where_nothing_is_published() -> None:
    assert not is_current(beat(), Published())


def count(policies: list[Policy], pods: list[SeenPod], *current: str) -> dict[str, Counts]:
    heard = {each.uid: beat() if each.name in current else None for each in pods}
    return counts_by_policy(policies, pods, PUBLISHED, heard)


def test_the_first_policy_that_selects_a_pod_counts_it_and_no_other() -> None:
    policies = [policy("best", app="a"), policy("next")]
    pods = [pod("a1"), pod("a2"), pod("b1", labels={"app": "b"})]
    assert count(policies, pods, "a1", "b1") == {
        "shop/best": Counts(total=2, current=1, stale=1),
        "shop/next": Counts(total=1, current=1),
    }


def test_pods_are_counted_as_the_compiler_counts_them() -> None:
    policies = [policy("x", app="a", zone="1"), policy("y", app="a"), policy("z", zone="1")]
    labels = [{"app": a, "zone": z, "own": str(n)} for n, a in enumerate("aab") for z in "12"]
    pods = [pod(f"p{number}", labels=each) for number, each in enumerate(labels)]
    ruled = rule_pods(policies, pods).pods
    found = count(policies, pods)
    assert {id_: counts.total for id_, counts in found.items()} == dict(ruled)


def test_a_pod_that_leaves_is_not_counted_and_one_without_a_sidecar_is() -> None:
    pods = [pod("a"), pod("leaving", leaving=True), pod("missed", missed_by=OWNER)]
    (counts,) = count([policy()], pods, "a").values()
    assert counts == Counts(total=2, current=1, stale=1, without=1)


def test_the_four_add_up_and_one_error_is_shown() -> None:
    pods = [pod(name) for name in "abcde"]
    heard = {
        "uid-a": beat(),
        "uid-b": beat("older"),
        "uid-c": beat("older", error="two"),
        "uid-d": beat("older", error="one"),
    }
    (counts,) = counts_by_policy([policy()], pods, PUBLISHED, heard).values()
    assert counts == Counts(total=5, current=1, stale=1, rejected=2, unknown=1, error="one")


def test_a_policy_that_rules_nobody_has_a_count_too() -> None:
    assert count([policy(app="b")], [pod()]) == {"shop/app": Counts()}
