"""A policy's rules, compiled: the first whose conditions all hold says where a request goes."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import translate

from penstock_config.policy import Match, Modality, Rule
from penstock_sidecar.model import Caller, Classification, Request

Glob = Callable[[str], re.Match[str] | None]


def globs(patterns: Sequence[str]) -> Glob | None:
    """Shell patterns, compiled to one; case matters. `None` where there are none: all will do."""
    return re.compile("|".join(map(translate, patterns))).match if patterns else None


class CompiledMatch:
    """Conditions of a `Match`: of each list any must hold, of headers all."""

    def __init__(self, match: Match) -> None:
        self._models = globs(match.models)
        self._users = globs(match.users)
        self._headers = [(h.name.lower(), re.compile(translate(h.value))) for h in match.headers]
        self._max_input_tokens = match.max_input_tokens
        self._modalities = frozenset(match.modalities)
        self._tasks = frozenset(match.tasks)
        self._complexity = frozenset(match.complexity)

    def holds(
        self, request: Request, caller: Caller, input_tokens: int, found: Classification
    ) -> bool:
        return (
            (self._models is None or self._models(request.model) is not None)
            and (self._users is None or self._users(caller.user) is not None)
            and (self._max_input_tokens is None or input_tokens <= self._max_input_tokens)
            and (not self._headers or self._headers_hold(request.headers))
            and (not self._modalities or not self._modalities.isdisjoint(_held(request)))
            and (not self._tasks or found.task in self._tasks)
            and (not self._complexity or found.complexity in self._complexity)
        )

    def may_hold_for_model(self, name: str) -> bool:
        return self._models is None or self._models(name) is not None

    def _headers_hold(self, sent: Mapping[str, str]) -> bool:
        for name, glob in self._headers:  # a generator takes twice as long
            value = sent.get(name)
            if value is None or not glob.match(value):
                return False
        return True


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
