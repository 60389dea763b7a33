"""What `x-penstock-debug: true` asks for: how a request's way was chosen, as a header's value.

Names and figures of the configuration alone; never words of the request.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from penstock_sidecar.fleet import Situation
from penstock_sidecar.metering.cost import usd
from penstock_sidecar.model import Candidate, Classification, Request
from penstock_sidecar.routing.drops import Drop

HEADER: Final = "x-penstock-debug"
MAX_BYTES: Final = 4_000
"""Some proxies allow 8 kB for all headers together."""
SHOWN: Final = (50, 20, 10, 5, 2, 0)
"""Candidates, and drops, as many as fit."""
DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Verdict:
    """A candidate that may serve. `score` is what its tier's strategy goes by."""

    candidate: Candidate
    strategy: str
    score: float | None
    micro_usd: int | None
    """What its answer will probably cost; `None` is unknown."""
    replicas: Situation | None = None
    """Where the operator runs its provider, and its replicas are known."""
    in_front: int | None = None
    """Of these: requests of this sidecar at the one that would answer, and in the line."""
    doing: str = ""
    """What is done about those that are not ready."""


@dataclass(slots=True)
class Debug:
    """Filled in as the way is found: what fails half-way shows how far it came."""

    classification: Classification | None = None
    rule: str = ""
    target: str = ""
    verdicts: Sequence[Verdict] = ()
    """In the order in which they are asked."""
    drops: Sequence[Drop] = ()

    def header(self, chosen: str) -> str:
        """JSON in ASCII, of at most `MAX_BYTES`. `chosen` is who served, or was last asked."""
        for shown in SHOWN:
            text = self._json(chosen, shown)
            if len(text) <= MAX_BYTES:
                return text
        return "{}"

    def _json(self, chosen: str, shown: int) -> str:
        document = {
            **classification_document(self.classification),
            "rule": self.rule,
            "target": self.target,
            "chosen": chosen,
            "candidates": [_of_verdict(each) for each in self.verdicts[:shown]],
            "dropped": [drop_document(drop) for drop in self.drops[:shown]],
        }
        left_out = max(0, len(self.verdicts) - shown) + max(0, len(self.drops) - shown)
        if left_out:
            document["leftOut"] = left_out
        return json.dumps(document, separators=(",", ":"))


def asked_for(request: Request) -> bool:
    return request.headers.get(HEADER, "").strip().lower() == "true"


def classification_document(found: Classification | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {
        "task": found.task,
        "complexity": found.complexity,
        "confidence": round(found.confidence, 2),
        "signals": list(found.signals),
    }


def _of_verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "candidate": verdict.candidate.label,
        "tier": verdict.candidate.tier,
        "strategy": verdict.strategy,
        "score": None if verdict.score is None else round(verdict.score, DIGITS),
        "costUSD": None if verdict.micro_usd is None else usd(verdict.micro_usd),
        **replicas_document(verdict),
    }


def replicas_document(verdict: Verdict) -> dict[str, Any]:
    found = verdict.replicas
    if found is None:
        return {}
    doing = {"doing": verdict.doing} if verdict.doing else {}
    figures = {"ready": found.ready, "loaded": found.loaded, "inFront": verdict.in_front}
    return {"replicas": {**figures, **doing}}


def drop_document(drop: Drop) -> dict[str, Any]:
    last = {"last": True} if drop.last else {}
    return {"candidate": drop.candidate, "kind": drop.kind, "reason": drop.reason, **last}
