"""What the caller says of a request himself: it counts before anything found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from penstock_config.classification import COMPLEXITIES, TASKS, Complexity, Task
from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import Request

TASK_HEADER: Final = "x-penstock-task"
COMPLEXITY_HEADER: Final = "x-penstock-complexity"
_TASKS: Final[Mapping[str, Task]] = {name: name for name in TASKS}
_COMPLEXITIES: Final[Mapping[str, Complexity]] = {name: name for name in COMPLEXITIES}
_AUTOMATIC: Final[Mapping[str, Complexity]] = {f"auto:{name}": name for name in COMPLEXITIES}

Word = TypeVar("Word", bound=str)


@dataclass(frozen=True, slots=True)
class Asked:
    """`None` leaves it to us."""

    task: Task | None = None
    complexity: Complexity | None = None

    def __bool__(self) -> bool:
        return self.task is not None or self.complexity is not None


NOTHING: Final = Asked()


def asked_of(request: Request) -> Asked:
    """By headers, or by the model `auto:<complexity>`; where both speak, the header counts.
    Raises `MalformedRequest` for a word that is none."""
    headers, model = request.headers, request.model
    if (
        TASK_HEADER not in headers
        and COMPLEXITY_HEADER not in headers
        and not model.startswith("auto:")
    ):
        return NOTHING
    complexity = _word(headers, COMPLEXITY_HEADER, _COMPLEXITIES)
    return Asked(_word(headers, TASK_HEADER, _TASKS), complexity or _AUTOMATIC.get(model))


def _word(headers: Mapping[str, str], name: str, words: Mapping[str, Word]) -> Word | None:
    value = headers.get(name)
    if value is None:
        return None
    found = words.get(value.strip().lower())
    if found is None:
        msg = f"header {name} must be one of {', '.join(words)}"
        raise MalformedRequest(msg, param=name)
    return found
