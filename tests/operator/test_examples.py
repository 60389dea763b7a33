"""The examples parse, and compile without an error."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from penstock_operator.api import GROUP
from penstock_operator.compile.compiler import compile_snapshot
from penstock_operator.compile.gather import snapshot_of
from penstock_operator.compile.parse import parse_resource
from penstock_operator.compile.problem import Problem
from penstock_operator.warming.prompts import read_prompts
from tests.cluster.cel_cases import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


def documents() -> list[dict[str, Any]]:
    return [
        document for path in EXAMPLES for document in yaml.safe_load_all(path.read_text("utf-8"))
    ]


OURS = [document for document in documents() if document["apiVersion"].startswith(GROUP)]


def name_of(document: dict[str, Any]) -> str:
    return f"{document['kind']}-{document['metadata']['name']}"


@pytest.mark.parametrize("document", OURS, ids=name_of)
def test_an_example_parses(document: dict[str, Any]) -> None:
    assert not isinstance(parse_resource(document), Problem)


def test_the_examples_together_have_no_error_and_nothing_to_warn_of_but_this() -> None:
    """The prices of the list, and an embedder that may not run."""
    snapshot = snapshot_of(
        documents(), cluster="test", scope_keys={}, loopback_allowed=False, redis=None
    )
    snapshot = replace(snapshot, scope_keys=dict.fromkeys(snapshot.namespaces, "key"))
    problems = compile_snapshot(snapshot).problems
    assert {(problem.severity, problem.reason, problem.path) for problem in problems} == {
        ("warning", "PriceFromList", "spec.models"),
        ("warning", "NoEmbedder", "spec.cache.semantic"),
    }


def test_the_examples_show_every_way_to_choose_a_model() -> None:
    specs = [document["spec"] for document in OURS]
    shown = {field for spec in specs for field in spec}
    rules = [rule for spec in specs for rule in spec.get("rules", ())]
    shown |= {field for rule in rules for field in (*rule, *rule.get("match", ()))}
    shown |= {field for spec in specs for model in spec.get("models", ()) for field in model}
    wanted = {"strategy", "floors", "timeouts", "hedge", "ensemble", "tasks", "complexity"}
    assert wanted | {"overrides", "memory", "images", "quality", "expectedLatencyMs"} <= shown


def test_prompts_of_the_examples_are_there_and_can_be_read() -> None:
    maps = {
        (each["metadata"]["namespace"], each["metadata"]["name"]): each["data"]
        for each in documents()
        if each["kind"] == "ConfigMap"
    }
    warmed = [d for d in OURS if d["spec"].get("cache", {}).get("warm")]
    assert warmed
    for each in warmed:
        ref = each["spec"]["cache"]["warm"]["configMapRef"]
        found = read_prompts(maps[each["metadata"]["namespace"], ref["name"]][ref["key"]])
        assert len(found.entries) == 3
        assert found.unreadable == ()


def test_every_file_says_what_it_is_for() -> None:
    assert EXAMPLES
    assert all(path.read_text("utf-8").startswith("# ") for path in EXAMPLES)


def test_no_example_holds_a_key() -> None:
    secrets = [document for document in documents() if document["kind"] == "Secret"]
    values = [value for secret in secrets for value in secret["stringData"].values()]
    assert values
    assert all(value.startswith("example-") and "replace-me" in value for value in values)


def test_kubectl_meets_a_namespace_before_what_is_in_it() -> None:
    """`kubectl apply -f examples/` goes by file names."""
    made: set[str] = set()
    for document in documents():
        if document["kind"] == "Namespace":
            made.add(document["metadata"]["name"])
        else:
            assert document["metadata"]["namespace"] in made
