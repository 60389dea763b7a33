"""The filters whose verdict depends on the configuration alone, decided once for each question."""

from dataclasses import dataclass, field
from typing import Final

from penstock_config.policy import PersonalData
from penstock_sidecar.model import Candidate, Request
from penstock_sidecar.routing.drops import Sieved
from penstock_sidecar.routing.filters import Needs, able_to, needs_of, with_room
from penstock_sidecar.routing.personal_data import held, trusted

MAX_REMEMBERED: Final = 4096
"""Targets of a policy times the ten combinations of needs: seldom a hundred."""

Question = tuple[str, Needs, bool]
"""Target, needs, and whether personal data is held."""


@dataclass(frozen=True, slots=True)
class Sieves:
    """What models can do, who may get personal data; then the window, by each request's size."""

    personal_data: PersonalData
    _known: dict[Question, tuple[tuple[Candidate, ...], Sieved]] = field(default_factory=dict)
    """With the candidates that it was said of."""

    def sieved(
        self, target: str, candidates: tuple[Candidate, ...], request: Request, input_tokens: int
    ) -> Sieved:
        """Keeps at least one candidate. Raises `Denied` or a `CallerError`."""
        able = self._able(target, candidates, request)
        fitting = with_room(able.kept, request, input_tokens)
        return Sieved(fitting.kept, able.drops + fitting.drops) if fitting.drops else able

    def _able(self, target: str, candidates: tuple[Candidate, ...], request: Request) -> Sieved:
        question = (target, needs_of(request), held(request, self.personal_data))
        known = self._known.get(question)
        if known and known[0] is candidates:
            return known[1]
        found = _decided(candidates, question, request)
        if len(self._known) < MAX_REMEMBERED:
            self._known[question] = (candidates, found)
        return found


def _decided(candidates: tuple[Candidate, ...], question: Question, request: Request) -> Sieved:
    _, needs, personal = question
    able = able_to(candidates, needs, request)
    if not personal:
        return able
    permitted = trusted(able.kept)
    return Sieved(permitted.kept, able.drops + permitted.drops)
