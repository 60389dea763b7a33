"""The pipeline's stage: classifies the requests for which somebody wants to know."""

from dataclasses import dataclass
from typing import Final

from penstock_config.policy import Policy
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Tier
from penstock_sidecar.classify.asked import asked_of
from penstock_sidecar.classify.classifier import Classifier
from penstock_sidecar.classify.weights import Weighed
from penstock_sidecar.model import UNCLASSIFIED, Classification, Request

DEBUG_HEADER: Final = "x-penstock-debug"
SAID: Final = "said by the caller"
UNKNOWN: Final = Weighed(UNCLASSIFIED.task, 0.0, UNCLASSIFIED.complexity, 0.0, {}, {})
"""For embeddings: nothing is answered."""


@dataclass(frozen=True, slots=True)
class Classify:
    """`always`: something of the policy heeds it; else only requests that ask for it do."""

    classifier: Classifier
    always: bool

    @classmethod
    def for_policy(cls, config: SidecarConfig, policy: Policy) -> "Classify":
        return cls(Classifier.load(), heeded(config, policy))

    def classification(self, request: Request) -> Classification:
        """`UNCLASSIFIED`, at no cost, where nobody wants to know. Raises `MalformedRequest` for a
        header with a word that is none."""
        asked = asked_of(request)
        if not (self.always or asked or DEBUG_HEADER in request.headers):
            return UNCLASSIFIED
        if asked.task and asked.complexity:
            return Classification(asked.task, asked.complexity, 1.0, (SAID,))
        found = self._found(request)
        if asked.task:
            sure = found.complexity_confidence
            return Classification(asked.task, found.complexity, sure, found.complexity_signals)
        if asked.complexity:
            sure = found.task_confidence
            return Classification(found.task, asked.complexity, sure, found.task_signals)
        return found.classification()

    def _found(self, request: Request) -> Weighed:
        return UNKNOWN if request.embeds else self.classifier.weigh(request)


def heeded(config: SidecarConfig, policy: Policy) -> bool:
    """Whether a rule, or a tier that the policy may use, asks for task or complexity."""
    reachable = {*policy.tiers, *policy.downgrade_tiers}
    return any(rule.match.tasks or rule.match.complexity for rule in policy.rules) or any(
        _heeds(tier) for tier in config.tiers if tier.id in reachable
    )


def _heeds(tier: Tier) -> bool:
    adaptive = tier.strategy == "Adaptive"
    return adaptive or bool(tier.floors or tier.timeouts or tier.ensemble)
