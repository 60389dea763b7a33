"""A fault of ours costs one namespace its changes, and no more."""

from dataclasses import replace

from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.compile.compiler import Compiled, compile_snapshot
from penstock_operator.compile.snapshot import Snapshot
from penstock_operator.handlers.compilation import compile_isolated, policies_in_force


def policy(namespace: str) -> RoutePolicy:
    return RoutePolicy.model_validate(
        {
            "metadata": {"name": "app", "namespace": namespace},
            "spec": {"selector": {}, "defaultTier": {"name": "gone"}},
        }
    )


SNAPSHOT = Snapshot(
    cluster="test",
    policies=(policy("good"), policy("bad")),
    scope_keys={"good": "a" * 64, "bad": "b" * 64},
)


def test_without_a_fault_everything_is_compiled_at_once() -> None:
    outcome = compile_isolated(SNAPSHOT)
    compiled = compile_snapshot(SNAPSHOT)
    assert (outcome.configs, outcome.files) == (compiled.configs, compiled.files)
    assert outcome.problems == compiled.problems
    assert outcome.failed == frozenset()


def test_a_namespace_that_cannot_be_compiled_keeps_what_it_has() -> None:
    def compile_but_bad(snapshot: Snapshot) -> Compiled:
        if any(policy.metadata.namespace == "bad" for policy in snapshot.policies):
            raise ZeroDivisionError
        return compile_snapshot(snapshot)

    outcome = compile_isolated(SNAPSHOT, compile_but_bad)
    assert outcome.failed == {"bad"}
    assert outcome.configs.keys() == outcome.files.keys() == outcome.credentials.keys() == {"good"}
    alone = compile_snapshot(replace(SNAPSHOT, policies=(policy("good"),)))
    assert outcome.problems == alone.problems


def test_sidecars_go_on_by_the_policies_of_a_configuration_that_stays() -> None:
    whole = policies_in_force(compile_isolated(SNAPSHOT), {})
    assert {name: [each.id for each in found] for name, found in whole.items()} == {
        "good": ["good/app"],
        "bad": ["bad/app"],
    }
    without = compile_isolated(replace(SNAPSHOT, policies=()))
    assert policies_in_force(without, whole) == {}
    kept = replace(without, failed=frozenset({"bad"}), withheld=frozenset({"good", "new"}))
    assert policies_in_force(kept, whole) == whole
