"""What can go wrong, by who must act.

Exception
├── StartError        whoever set this up: the process ends, its exit code tells why
│   └── ModelMissing  there are no weights, or nothing here can run them
├── ModelUnfit        nobody: another backend is tried
└── Refused           the caller: an answer with a status of its own
"""

from collections.abc import Mapping
from typing import ClassVar, Final

from penstock_config.embedder import RefusalCode

STATUSES: Final[Mapping[RefusalCode, int]] = {
    RefusalCode.MALFORMED: 400,
    RefusalCode.UNAUTHORISED: 401,
    RefusalCode.FOREIGN_SHELF: 403,
    RefusalCode.TOO_LONG: 422,
    RefusalCode.BROKEN: 500,
    RefusalCode.OVERLOADED: 503,
    RefusalCode.NO_REDIS: 503,
    RefusalCode.TOO_LATE: 504,
}


class StartError(Exception):
    """The text says what to change."""

    exit_code: ClassVar = 2


class ModelMissing(StartError):
    """No model, or no library that runs it."""

    exit_code = 3


class ModelUnfit(Exception):
    """This backend cannot run this model; the text says why, after "because"."""


class Refused(Exception):
    """No answer. The text goes to the caller: it holds nothing of what was asked."""

    def __init__(self, code: RefusalCode, message: str) -> None:
        super().__init__(message)
        self.code: Final = code

    @property
    def status(self) -> int:
        return STATUSES[self.code]


def overloaded() -> Refused:
    return Refused(RefusalCode.OVERLOADED, "too many requests are waiting")


def too_late() -> Refused:
    return Refused(RefusalCode.TOO_LATE, "the deadline passed before there was an answer")


def no_redis() -> Refused:
    return Refused(RefusalCode.NO_REDIS, "Redis does not answer")
