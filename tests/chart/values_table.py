"""The table of values in the chart's README, made from the comments of `values.yaml`.

`python -m tests.chart.values_table` writes it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from tests.chart.rendering import CHART

BEGIN: Final = "<!-- values: made by `python -m tests.chart.values_table` -->"
END: Final = "<!-- end of values -->"
MARK: Final = "# -- "


@dataclass(frozen=True, slots=True)
class Row:
    """One value: where it is, what it is when nobody says anything, and what it does."""

    path: str
    default: Any
    text: str


def rows(text: str) -> Iterator[Row]:
    """Each key below a comment that begins with `# --`."""
    values, said = yaml.safe_load(text), ""
    path: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith(MARK):
            said = bare.removeprefix(MARK)
        elif bare.startswith("#") and said:
            said += " " + bare.removeprefix("#").strip()
        elif found := re.match(r"( *)([A-Za-z]+):", line):
            path = [*path[: len(found[1]) // 2], found[2]]
            if said:
                yield Row(".".join(path), _at(values, path), said)
            said = ""


def leaves(values: Any, path: str = "") -> Iterator[str]:
    """The keys that have a value of their own, or say what theirs is as a whole."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from leaves(value, f"{path}.{key}" if path else key)
    else:
        yield path


def table() -> str:
    lines = ["| value | default | what it is |", "|---|---|---|"]
    for row in rows((CHART / "values.yaml").read_text("utf-8")):
        default = json.dumps(row.default).replace("|", "\\|")
        said = row.text.replace("|", "\\|")
        lines.append(f"| `{row.path}` | `{default}` | {said} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """The README with the table as it should be."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table()}\n\n{END}{tail}"


def _at(values: Any, path: list[str]) -> Any:
    for key in path:
        values = values[key]
    return values


if __name__ == "__main__":
    readme = CHART / "README.md"
    readme.write_text(page(readme.read_text("utf-8")), "utf-8")
