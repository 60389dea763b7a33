"""The pod that a command on this machine stands for: its namespace, workload and labels."""

from collections.abc import Mapping
from dataclasses import dataclass

from penstock_cli.failure import WrongUsage
from penstock_cli.workspace import Workspace
from penstock_config.policy import Policy
from penstock_config.schema import SidecarConfig
from penstock_operator.compile.labels import selects


@dataclass(frozen=True, slots=True)
class StandIn:
    """As the command line says it; what it leaves out, `resolve` chooses."""

    namespace: str = ""
    app: str = "local"
    labels: tuple[str, ...] = ()
    """Each `key=value`."""


@dataclass(frozen=True, slots=True)
class StandInPod:
    """A pod that the configuration can be asked about; `policy` rules it, if any does."""

    config: SidecarConfig
    app: str
    labels: Mapping[str, str]
    policy: Policy | None

    @property
    def namespace(self) -> str:
        return self.config.namespace


def resolve(standin: StandIn, workspace: Workspace) -> StandInPod:
    """Fill in what was left out; raises `WrongUsage` where there is a choice to make."""
    config = workspace.compiled.configs[_namespace(standin.namespace, workspace)]
    labels = _labels(standin.labels) or _selected_by_first(config)
    policy = next((p for p in config.policies if selects(p.selector, labels)), None)
    return StandInPod(config, standin.app, labels, policy)


def _namespace(wanted: str, workspace: Workspace) -> str:
    ruled = workspace.ruled_namespaces
    if wanted in ruled:
        return wanted
    if not ruled:
        msg = "these files hold no RoutePolicy in effect: see `penstock validate`"
    elif wanted:
        msg = f"no RoutePolicy is in effect in namespace {wanted}, only in {', '.join(ruled)}"
    elif len(ruled) > 1:
        msg = f"choose a namespace with -n: {', '.join(ruled)}"
    else:
        return ruled[0]
    raise WrongUsage(msg)


def _labels(pairs: tuple[str, ...]) -> dict[str, str]:
    labels = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            msg = f"--labels {pair}: write key=value"
            raise WrongUsage(msg)
        labels[key] = value
    return labels


def _selected_by_first(config: SidecarConfig) -> dict[str, str]:
    """Labels that the policy of highest precedence asks for by value."""
    return dict(config.policies[0].selector.match_labels)
