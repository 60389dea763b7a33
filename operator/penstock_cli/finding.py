"""What a command found wrong, where it is written, and how it is shown."""

from dataclasses import asdict, dataclass

from penstock_operator.compile.problem import Problem, Severity


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file, counted from 1; 0 is unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n)]
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `subject` is empty where a file could not be read at all."""

    severity: Severity
    reason: str
    message: str
    place: Place | None = None
    subject: str = ""
    """The resource, as `<kind> <namespace>/<name>`."""
    path: str = ""

    @classmethod
    def of(cls, problem: Problem, place: Place | None) -> "Finding":
        return cls(
            problem.severity,
            problem.reason,
            problem.message,
            place,
            str(problem.object),
            problem.path,
        )

    def as_json(self) -> dict[str, object]:
        place = self.place or Place("")
        return {
            "severity": self.severity,
            "reason": self.reason,
            "message": self.message,
            "object": self.subject,
            "path": self.path,
            **asdict(place),
        }


def errors_among(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(f for f in findings if f.severity == "error")
