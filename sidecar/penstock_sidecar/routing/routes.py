"""Where a policy's rules, and the names that callers send, lead: each worked out once, when it is
first asked for."""

from dataclasses import dataclass, replace
from typing import Final

from penstock_config.policy import Overrides, Policy, Rule, Target
from penstock_sidecar.errors import Denied
from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.catalogue import Catalogue

AUTO: Final = "auto"
AUTOMATIC: Final = frozenset({AUTO, "auto:simple", "auto:medium", "auto:complex", "auto:expert"})
NO_OVERRIDES: Final = Overrides()


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes, before anybody looked at what it needs.

    `rule` is a rule's name, or `tier`, `model`, `auto`: how the name was understood.
    `target` is `tier:<id>` or `model:<name>`.
    """

    rule: str
    target: str
    candidates: tuple[Candidate, ...]
    overrides: Overrides = NO_OVERRIDES

    @property
    def tier_id(self) -> str | None:
        """None where a model was asked for."""
        kind, _, id_ = self.target.partition(":")
        return id_ if kind == "tier" else None


class Routes:
    """Of one policy."""

    def __init__(self, policy: Policy, catalogue: Catalogue) -> None:
        self._policy = policy
        self._catalogue = catalogue
        self._by_name: dict[str, Route] = {}
        """As many as the configuration has names."""
        self._by_rule: dict[int, Route] = {}
        """By identity: rules live as long as their policy."""

    def ruled(self, rule: Rule) -> Route:
        """Raises `Denied`, with the configuration's text."""
        found = self._by_rule.get(id(rule))
        if found is None:
            found = replace(self._to(rule.target, rule.name), overrides=rule.overrides)
            self._by_rule[id(rule)] = found
        return found

    def named(self, name: str) -> Route | None:
        """What a caller means by it; None where it means nothing here. Raises as `ruled` does."""
        found = self._by_name.get(name)
        if found is None and (meant := self._meant(name)):
            found = self._by_name[name] = self._to(*meant)
        return found

    def serving(self, name: str) -> tuple[Candidate, ...]:
        """Nobody where only a rule says where requests of this name go, or the target is denied."""
        meant = self._meant(name)
        target = meant[0] if meant else Target()
        if target.denied is not None:
            return ()
        if target.tier is not None:
            return self._catalogue.of_tier(target.tier)
        return self._catalogue.of_model(target.model or "")

    def _meant(self, name: str) -> tuple[Target, str] | None:
        """And how it was understood."""
        if tier_id := self._catalogue.tier_id(name):
            return Target(tier=tier_id), "tier"
        if self._catalogue.of_model(name):
            return Target(model=name), "model"
        if name in AUTOMATIC and self._policy.default:
            return self._policy.default, AUTO
        return None

    def _to(self, target: Target, rule: str) -> Route:
        if target.denied is not None:
            raise Denied(target.denied)
        if target.tier is not None:
            candidates = self._catalogue.of_tier(target.tier)
            if not candidates:
                raise Denied(self._why_empty(target.tier))
            return Route(rule, f"tier:{target.tier}", candidates)
        candidates = self._catalogue.of_model(target.model or "")
        if not candidates:
            msg = f"no tier of policy {self._policy.id} has model {target.model}"
            raise Denied(msg)
        return Route(rule, f"model:{target.model}", candidates)

    def _why_empty(self, tier_id: str) -> str:
        tier = self._catalogue.tiers.get(tier_id)
        if tier is None:
            return f"policy {self._policy.id} may not use tier {tier_id}"
        return tier.denied or f"tier {tier_id} has no model that may serve"
