"""A release of the chart on a real API server."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chart.rendering import CHART, OWN, run


@dataclass(frozen=True)
class Release:
    kubeconfig: Path
    major: str
    """Of Helm, where the program can be more than one."""

    def helm(self, *arguments: str, **values: Any) -> str:
        done = run(
            *arguments,
            *("--namespace", OWN),
            *(("--values", "-") if arguments[0] != "uninstall" else ()),
            stdin=json.dumps(values),
            KUBECONFIG=str(self.kubeconfig),
            HELM_MAJOR=self.major,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def install(self, chart: Path = CHART, **values: Any) -> str:
        return self.helm(
            "upgrade", "--install", "penstock", str(chart), "--create-namespace", **values
        )

    def uninstall(self) -> str:
        return self.helm("uninstall", "penstock")
