"""The configuration in effect on this machine, and when a newer one takes its place."""

import os
from collections.abc import Iterable
from typing import Final

from rich.console import Console

from penstock_cli.config_files import ConfigFiles
from penstock_cli.failure import WrongUsage
from penstock_cli.finding import Finding
from penstock_cli.output import counted, table_of
from penstock_cli.secret_sources import from_environment
from penstock_cli.standin import StandIn, StandInPod, resolve
from penstock_cli.workspace import Workspace, compile_files
from penstock_operator.compile.snapshot import EmbedderSettings, RedisSettings
from penstock_operator.warming.agenda import wanted_of

NOT_QUEUED: Final = (
    "spec.cache.warm.configMapRef: its prompts are queued by the operator in a cluster, not here."
)
Name = tuple[str, str, str, str]


class Current:
    """Compiles `paths` into `files` for one sidecar, and tells `console` about it."""

    def __init__(
        self,
        paths: tuple[str, ...],
        standin: StandIn,
        redis: RedisSettings,
        embedder: EmbedderSettings | None,
        files: ConfigFiles,
        console: Console,
    ) -> None:
        self._paths = paths
        self._standin = standin
        self._redis = redis
        self._embedder = embedder
        self._files = files
        self._console = console
        self._known_errors: frozenset[Name] = frozenset()

    def begin(self) -> StandInPod:
        """Whatever can work is put to work; the errors of the rest are printed."""
        workspace = self._compile()
        self._show(workspace.errors)
        if warnings := len(workspace.findings) - len(workspace.errors):
            self._console.print(f"{counted(warnings, 'warning')}: `penstock validate` has more.")
        if any(map(wanted_of, workspace.snapshot.policies)):
            self._console.print(NOT_QUEUED, markup=False)
        pod = resolve(self._standin, workspace)
        self._take(workspace, pod)
        return pod

    def renew(self) -> bool:
        """Compile again; an error that is new keeps the former configuration in effect."""
        try:
            workspace = self._compile()
            new = _names(workspace.errors) - self._known_errors
            self._show(f for f in workspace.errors if _name(f) in new)
            taken = not new and self._take(workspace, resolve(self._standin, workspace))
        except WrongUsage as failure:
            self._console.print(str(failure), markup=False)
            taken = False
        if taken:
            self._console.print("Taken; the sidecar follows within a second.", style="green")
        else:
            self._console.print("Not taken: the last good one stays.", style="bold red")
        return taken

    def _compile(self) -> Workspace:
        secrets = from_environment(os.environ)
        return compile_files(self._paths, secrets, self._redis, self._embedder)

    def _take(self, workspace: Workspace, pod: StandInPod) -> bool:
        self._known_errors = _names(workspace.errors)
        self._files.write_labels(pod.labels)
        self._files.write(pod.config, workspace.compiled.credentials[pod.namespace])
        return True

    def _show(self, findings: Iterable[Finding]) -> None:
        if shown := tuple(findings):
            self._console.print(table_of(shown))


def _names(findings: Iterable[Finding]) -> frozenset[Name]:
    return frozenset(map(_name, findings))


def _name(finding: Finding) -> Name:
    """What stays the same while its line moves."""
    return finding.reason, finding.subject, finding.path, finding.message
