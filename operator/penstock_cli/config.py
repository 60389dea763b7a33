"""`penstock config`: what a namespace's sidecars are told, for people who want to know exactly."""

import json

from penstock_cli.output import print_json, stderr, table_of
from penstock_cli.secret_sources import taken_for_granted
from penstock_cli.standin import StandIn, resolve
from penstock_cli.workspace import compile_files
from penstock_config.codec import encode


def config(paths: tuple[str, ...], namespace: str) -> int:
    """JSON on standard output, problems on standard error; 1 when one of them is an error."""
    workspace = compile_files(paths, taken_for_granted)
    if workspace.findings:
        stderr().print(table_of(workspace.findings))
    pod = resolve(StandIn(namespace), workspace)
    print_json(json.loads(encode(pod.config)))
    return 1 if workspace.errors else 0
