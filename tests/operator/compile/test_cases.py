"""Cases on disk: `tests/operator/cases/<name>.in.yaml` compiles to `<name>.out.yaml`.

After a wanted change, write the outputs anew and read the difference:

    PENSTOCK_UPDATE_CASES=1 pytest tests/operator/compile/test_cases.py

An input may hold a document `kind: Case` with `local: true` (providers may be on this machine),
`unreadable: [<namespace>]` (the operator may not read Secrets there), `sidecarVersion: <version>`
(pods are stamped; so is a new one) and `at: <time>`.
"""

import os
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, get_args

import pytest
import yaml

from penstock_config.codec import decode_config, encode
from penstock_config.credentials import Credentials
from penstock_operator.compile.compiler import Compiled, compile_snapshot
from penstock_operator.compile.gather import snapshot_of
from penstock_operator.compile.problem import Problem, Reason
from penstock_operator.compile.snapshot import RedisSettings, SecretData, Snapshot

CASES: Final = Path(__file__).parent.parent / "cases"
NAMES: Final = sorted(path.name.removesuffix(".in.yaml") for path in CASES.glob("*.in.yaml"))
UPDATE: Final = bool(os.environ.get("PENSTOCK_UPDATE_CASES"))
NOT_IN_CASES: Final = frozenset({"ConfigTooLarge", "ScopeKeyMissing"})
"""Reasons that a file would have to be huge, or a gatherer wrong, to show."""


def snapshot_of_case(name: str) -> Snapshot:
    documents = list(yaml.safe_load_all((CASES / f"{name}.in.yaml").read_text()))
    options: dict[str, Any] = next((each for each in documents if each["kind"] == "Case"), {})
    snapshot = snapshot_of(
        documents,
        cluster="test",
        loopback_allowed=options.get("local", False),
        redis=RedisSettings(url="redis://redis:6379", password="redis-password"),
        scope_keys={},
        taken_at=datetime.fromisoformat(options["at"]) if "at" in options else None,
    )
    hidden = {
        (namespace, secret): SecretData(readable=False)
        for namespace, secret in snapshot.secrets
        if namespace in options.get("unreadable", ())
    }
    return replace(
        snapshot,
        secrets={**snapshot.secrets, **hidden},
        sidecar_version=options.get("sidecarVersion"),
        scope_keys={namespace: f"scope-of-{namespace}" for namespace in snapshot.namespaces},
    )


def shown(compiled: Compiled) -> dict[str, Any]:
    """What a reader wants to see of the outcome; of keys, how many."""
    return {
        "configs": {name: _plain(config) for name, config in compiled.configs.items()},
        "keys": {name: _keys(found) for name, found in compiled.credentials.items()},
        "problems": [_problem(problem) for problem in compiled.problems],
    }


def _plain(config: Any) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(encode(config))
    return {key: value for key, value in document.items() if key != "schema_version"}


def _keys(credentials: Credentials) -> Mapping[str, Any]:
    """Of what else is secret, whose it is; of authorities, which are none, all."""
    keys = {id_: len(keys) for id_, keys in credentials.provider_keys.items()}
    others = {
        "client secrets": sorted(credentials.client_secrets),
        "proxy logins": sorted(credentials.proxy_logins),
        "authorities": dict(credentials.authorities),
    }
    return keys | {name: found for name, found in others.items() if found}


def _problem(problem: Problem) -> dict[str, str]:
    verdict = f"{problem.severity} {problem.condition} {problem.reason}"
    return {"object": str(problem.object), "verdict": verdict, "text": problem.text}


@pytest.mark.parametrize("name", NAMES)
def test_a_case_compiles_to_what_is_written_beside_it(name: str) -> None:
    found = shown(compile_snapshot(snapshot_of_case(name)))
    path = CASES / f"{name}.out.yaml"
    if UPDATE:
        path.write_text(yaml.safe_dump(found, width=100, allow_unicode=True))
    assert found == yaml.safe_load(path.read_text())


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_what_was_gathered_does_not_matter(name: str) -> None:
    snapshot = snapshot_of_case(name)
    compiled = compile_snapshot(snapshot)
    for seed in range(5):
        again = compile_snapshot(shuffled(snapshot, random.Random(seed)))
        assert again.problems == compiled.problems
        assert {k: encode(v) for k, v in again.configs.items()} == {
            k: encode(v) for k, v in compiled.configs.items()
        }
        assert {k: encode(v) for k, v in again.credentials.items()} == {
            k: encode(v) for k, v in compiled.credentials.items()
        }


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_can_be_read_by_the_sidecar(name: str) -> None:
    for config in compile_snapshot(snapshot_of_case(name)).configs.values():
        assert decode_config(encode(config)) == config


@pytest.mark.parametrize("name", NAMES)
def test_no_problem_and_no_configuration_holds_a_secret(name: str) -> None:
    snapshot = snapshot_of_case(name)
    compiled = compile_snapshot(snapshot)
    secrets = [
        value.decode().strip() for s in snapshot.secrets.values() for value in s.values.values()
    ]
    texts = [problem.text for problem in compiled.problems]
    texts += [encode(config).decode() for config in compiled.configs.values()]
    texts.append(repr(compiled))
    for secret in filter(None, secrets):
        assert not any(secret in text for text in texts)


def test_every_reason_occurs_in_some_case() -> None:
    found = {
        problem.reason
        for name in NAMES
        for problem in compile_snapshot(snapshot_of_case(name)).problems
    }
    assert found == set(get_args(Reason)) - NOT_IN_CASES


def test_every_output_has_its_input() -> None:
    outputs = {path.name.removesuffix(".out.yaml") for path in CASES.glob("*.out.yaml")}
    assert outputs == set(NAMES)


def shuffled(snapshot: Snapshot, rng: random.Random) -> Snapshot:
    def mixed(items: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(rng.sample(items, len(items)))

    return replace(
        snapshot,
        providers=mixed(snapshot.providers),
        tiers=mixed(snapshot.tiers),
        policies=mixed(snapshot.policies),
        budgets=mixed(snapshot.budgets),
        pods=mixed(snapshot.pods),
        unparsable=mixed(snapshot.unparsable),
        secrets=dict(mixed(tuple(snapshot.secrets.items()))),
        namespaces=dict(mixed(tuple(snapshot.namespaces.items()))),
    )
