"""`penstock validate`: every problem the operator would report, without a cluster."""

from collections.abc import Iterator
from typing import Final

from penstock_cli.finding import Finding, errors_among
from penstock_cli.output import counted, print_json, stdout, table_of
from penstock_cli.secret_sources import taken_for_granted
from penstock_cli.workspace import Workspace, compile_files
from penstock_operator.compile.problem import ObjectRef
from penstock_operator.compile.rulings import never_ruling

CREDENTIALS: Final = "spec.credentials"
OUTRANKED: Final = "Outranked"
SELECTOR: Final = "spec.selector"


def validate(paths: tuple[str, ...], *, strict: bool, as_json: bool) -> int:
    """Print what is wrong; 1 when it is an error (with `strict`: anything at all), else 0.

    A Secret that the files do not hold cannot be judged here: it is a warning.
    """
    workspace = compile_files(paths, taken_for_granted)
    findings = (*workspace.findings, *_unseen_secrets(workspace), *_never_ruling(workspace))
    if as_json:
        print_json(_report(workspace, findings))
    else:
        _print(workspace, findings)
    return 1 if errors_among(findings) or (strict and findings) else 0


def _unseen_secrets(workspace: Workspace) -> Iterator[Finding]:
    for wanted in workspace.absent:
        ref = ObjectRef("LLMProvider", wanted.namespace, wanted.provider)
        yield Finding(
            "warning",
            "SecretNotSeen",
            f"Secret {wanted.name} (key {wanted.key}) is not among these files: it must be in "
            f"namespace {wanted.namespace} of the cluster",
            workspace.place_of(ref, CREDENTIALS),
            str(ref),
            CREDENTIALS,
        )


def _never_ruling(workspace: Workspace) -> Iterator[Finding]:
    """Policies that rule no pod whatever pods there are: the files may hold none to compile for."""
    known = {finding.subject for finding in workspace.findings if finding.reason == OUTRANKED}
    for config in workspace.compiled.configs.values():
        for loser, winner in never_ruling(config.policies):
            ref = ObjectRef("RoutePolicy", *loser.id.split("/"))
            if str(ref) in known:
                continue
            yield Finding(
                "warning",
                OUTRANKED,
                f"RoutePolicy {winner.id} selects all of its pods and comes before it, so it rules "
                "none: narrow a selector, or raise precedence",
                workspace.place_of(ref, SELECTOR),
                str(ref),
                SELECTOR,
            )


def _report(workspace: Workspace, findings: tuple[Finding, ...]) -> dict[str, object]:
    errors = len(errors_among(findings))
    return {
        "valid": errors == 0,
        "objects": workspace.objects,
        "errors": errors,
        "warnings": len(findings) - errors,
        "problems": [finding.as_json() for finding in findings],
    }


def _print(workspace: Workspace, findings: tuple[Finding, ...]) -> None:
    console = stdout()
    if findings:
        console.print(table_of(findings))
    errors = len(errors_among(findings))
    console.print(
        f"{counted(workspace.objects, 'object')}: {counted(errors, 'error')}, "
        f"{counted(len(findings) - errors, 'warning')}"
    )
