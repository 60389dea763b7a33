"""A policy's rules, compiled: the first whose conditions all hold says where a request goes."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate

from penstock_config.policy import Match, Modality, Rule
from penstock_sidecar.model import Caller, Classification, Request


class Globs:
    """Shell patterns, compiled; case matters. None given holds for everything."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._any = [re.compile(translate(pattern)) for pattern in patterns]

    def hold(self, text: str) -> bool:
        return not self._any or any(pattern.match(text) for pattern in self._any)


class CompiledMatch:
    """Conditions of a `Match`: of each list any must hold, of headers all."""

    def __init__(self, match: Match) -> None:
        self._models = Globs(match.models)
        self._users = Globs(match.users)
        self._headers = [(header.name.lower(), Globs([header.value])) for header in match.headers]
        self._max_input_tokens = match.max_input_tokens
        self._modalities = frozenset(match.modalities)
        self._tasks = frozenset(match.tasks)
        self._complexity = frozenset(match.complexity)

    def holds(
        self, request: Request, caller: Caller, input_tokens: int, found: Classification
    ) -> bool:
        return (
            self._models.hold(request.model)
            and self._users.hold(caller.user)
            and (self._max_input_tokens is None or input_tokens <= self._max_input_tokens)
            and self._headers_hold(request)
            and (not self._modalities or not self._modalities.isdisjoint(_held(request)))
            and (not self._tasks or found.task in self._tasks)
            and (not self._complexity or found.complexity in self._complexity)
        )

    def may_hold_for_model(self, name: str) -> bool:
        return self._models.hold(name)

    def _headers_hold(self, request: Request) -> bool:
        sent = request.headers
        return all(name in sent and globs.hold(sent[name]) for name, globs in self._headers)


def _held(request: Request) -> Sequence[Modality]:
    """What the request's messages hold; `text` where that is all."""
    found: list[Modality] = ["image"] if request.images else []
    if request.audio:
        found.append("audio")
    return found or ("text",)


class Rules:
    """All rules of a policy, in its order."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = [(CompiledMatch(rule.match), rule) for rule in rules]

    def first(
        self, request: Request, caller: Caller, input_tokens: int, found: Classification
    ) -> Rule | None:
        for match, rule in self._rules:
            if match.holds(request, caller, input_tokens, found):
                return rule
        return None

    def may_match_model(self, name: str) -> bool:
        """Whether some rule can hold for a request that asks for `name`."""
        return any(match.may_hold_for_model(name) for match, _ in self._rules)
