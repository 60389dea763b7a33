"""Makes a question's gist: its last turn's text, and the partition within which it may be compared.

A partition is a keyed hash of everything else: scope, target, kind, system prompt, history, what
memory added, format, parameters. Two requests that differ in any of it never meet.
"""

import hashlib
from typing import Final

import orjson

from penstock_config.cache import SemanticCache
from penstock_config.cache_layout import CACHE_LAYOUT
from penstock_sidecar.cache.entry import Gist
from penstock_sidecar.cache.key import canonical
from penstock_sidecar.cache.question import Question
from penstock_sidecar.cache.semantic.eligible import eligible

READING: Final = 1
"""Of what a turn is: another number never meets this one's partitions."""


class Gists:
    """Of one policy. `secret` is the namespace's."""

    def __init__(self, semantic: SemanticCache, secret: bytes) -> None:
        self._require_deterministic = semantic.require_deterministic
        self._secret = hashlib.blake2b(secret, digest_size=32, person=b"cache-partition").digest()

    def of(self, question: Question) -> Gist | None:
        """None where nothing but the same question will do."""
        turn = eligible(question.request, require_deterministic=self._require_deterministic)
        rest = canonical(turn.rest, question.form.ignored) if turn else None
        if turn is None or rest is None:
            return None
        return Gist(self._partition(question, rest), turn.text)

    def _partition(self, question: Question, rest: bytes) -> str:
        request, place = question.request, question.shelves.prefix
        headers = [request.headers.get(name, "") for name in question.form.headers]
        who = (CACHE_LAYOUT, READING, place, question.target, question.kind, request.api, headers)
        hash_ = hashlib.blake2b(digest_size=16, key=self._secret)
        hash_.update(orjson.dumps(who) + b"\n" + rest)
        return hash_.hexdigest()
