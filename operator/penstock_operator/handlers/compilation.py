"""Compiling so that a fault of ours costs one namespace its changes, and no more."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from penstock_config.credentials import Credentials
from penstock_config.policy import Policy
from penstock_config.schema import SidecarConfig
from penstock_operator.compile.compiler import Compiled, compile_snapshot
from penstock_operator.compile.files import ConfigFiles
from penstock_operator.compile.problem import Problem
from penstock_operator.compile.snapshot import Snapshot
from penstock_operator.health.in_force import Given

Compile = Callable[[Snapshot], Compiled]
Policies = Mapping[str, tuple[Policy, ...]]
"""By namespace, best first: what sidecars go by."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was compiled, and which namespaces keep what they have."""

    configs: Mapping[str, SidecarConfig]
    files: Mapping[str, ConfigFiles]
    """The same, encoded."""
    credentials: Mapping[str, Credentials]
    problems: tuple[Problem, ...]
    withheld: frozenset[str] = frozenset()
    """Too large to be written; a problem says so."""
    failed: frozenset[str] = frozenset()
    """Our fault: compiling raised."""


def compile_isolated(snapshot: Snapshot, compile_: Compile = compile_snapshot) -> Outcome:
    """Everything at once; when that raises, namespace by namespace."""
    try:
        compiled = compile_(snapshot)
    except Exception:  # heard of by the log here, and by each namespace's log and metric
        logger.exception("compile.failed")
        return _one_by_one(snapshot, compile_)
    return Outcome(
        compiled.configs,
        compiled.files,
        compiled.credentials,
        compiled.problems,
        withheld=compiled.withheld,
    )


def policies_in_force(outcome: Outcome, former: Policies) -> Policies:
    """Of a namespace that keeps its last configuration, those that are in it."""
    kept = outcome.failed | outcome.withheld
    return {
        **{namespace: found for namespace, found in former.items() if namespace in kept},
        **{namespace: config.policies for namespace, config in outcome.configs.items()},
    }


def given_in_force(outcome: Outcome, former: Mapping[str, Given]) -> Mapping[str, Given]:
    """What each namespace's sidecars were given, those that keep their last configuration too."""
    kept = outcome.failed | outcome.withheld
    return {
        **{namespace: found for namespace, found in former.items() if namespace in kept},
        **{
            namespace: (config, outcome.credentials.get(namespace))
            for namespace, config in outcome.configs.items()
        },
    }


def _one_by_one(snapshot: Snapshot, compile_: Compile) -> Outcome:
    """Problems of shared objects come from every namespace that compiles, each once."""
    configs: dict[str, SidecarConfig] = {}
    files: dict[str, ConfigFiles] = {}
    credentials: dict[str, Credentials] = {}
    problems: set[Problem] = set()
    withheld: set[str] = set()
    failed: set[str] = set()
    for namespace in sorted({policy.metadata.namespace for policy in snapshot.policies}):
        own = tuple(p for p in snapshot.policies if p.metadata.namespace == namespace)
        try:
            compiled = compile_(replace(snapshot, policies=own))
        except Exception:  # heard of by log, metric and the objects' condition Programmed
            logger.exception("compile.namespace_failed", extra={"namespace": namespace})
            failed.add(namespace)
            continue
        configs |= compiled.configs
        files |= compiled.files
        credentials |= compiled.credentials
        problems |= {*compiled.problems}
        withheld |= compiled.withheld
    return Outcome(
        configs, files, credentials, tuple(sorted(problems)), frozenset(withheld), frozenset(failed)
    )
