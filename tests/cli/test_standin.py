"""Which pod a command stands for."""

from pathlib import Path

import pytest

from penstock_cli.failure import WrongUsage
from penstock_cli.secret_sources import taken_for_granted
from penstock_cli.standin import StandIn, resolve
from penstock_cli.workspace import Workspace, compile_files
from tests.cli.resources import POLICY, write


def _workspace(folder: Path, *more: str) -> Workspace:
    write(folder)
    for number, text in enumerate(more):
        (folder / f"more{number}.yaml").write_text(text)
    return compile_files((str(folder),), taken_for_granted)


def test_it_takes_the_only_namespace_and_the_labels_that_are_selected(tmp_path: Path) -> None:
    pod = resolve(StandIn(), _workspace(tmp_path))
    assert (pod.namespace, dict(pod.labels)) == ("shop", {"app": "web"})
    assert pod.policy
    assert pod.policy.id == "shop/front"


def test_labels_that_nobody_selects_have_no_policy(tmp_path: Path) -> None:
    assert resolve(StandIn(labels=("app=other",)), _workspace(tmp_path)).policy is None


def test_a_choice_of_namespaces_is_the_users(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path, POLICY.replace("namespace: shop", "namespace: yard"))
    with pytest.raises(WrongUsage, match="choose a namespace with -n: shop, yard"):
        resolve(StandIn(), workspace)
    assert resolve(StandIn("yard"), workspace).namespace == "yard"


@pytest.mark.parametrize(
    ("standin", "what"),
    [
        (StandIn("nowhere"), "only in shop"),
        (StandIn(labels=("app",)), "write key=value"),
        (StandIn(labels=("=web",)), "write key=value"),
    ],
)
def test_what_does_not_fit_is_wrong_usage(tmp_path: Path, standin: StandIn, what: str) -> None:
    with pytest.raises(WrongUsage, match=what):
        resolve(standin, _workspace(tmp_path))


def test_files_without_a_policy_have_nothing_to_stand_for(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: Other")
    workspace = compile_files((str(tmp_path),), taken_for_granted)
    with pytest.raises(WrongUsage, match="no RoutePolicy in effect"):
        resolve(StandIn(), workspace)
