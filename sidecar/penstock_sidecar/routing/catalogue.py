"""What one policy may reach: its tiers and their candidates, by id and by name.

Built once per configuration. Tiers that the policy does not list are not in here, so that nothing
a caller sends can reach them; those to which a budget downgrades have no name.
"""

from collections.abc import Iterable, Iterator

from penstock_config.policy import Policy
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Tier
from penstock_sidecar.model import Candidate

Candidates = tuple[Candidate, ...]


class Catalogue:
    """The policy's tiers in its order, each with the candidates that it and its fallbacks have."""

    def __init__(self, config: SidecarConfig, policy: Policy) -> None:
        known = {tier.id: tier for tier in config.tiers}
        self.tiers = {id_: known[id_] for id_ in (*policy.tiers, *policy.downgrade_tiers)}
        own = self._own = _own_candidates(config, self.tiers.values())
        self._of_tier = {
            id_: _each_once(c for one in self._with_fallbacks(id_, set()) for c in own[one])
            for id_ in self.tiers
        }
        self._of_model = _by_model({id_: own[id_] for id_ in policy.tiers})
        self._tier_ids: dict[str, str] = {}
        for id_ in policy.tiers:
            self._tier_ids.setdefault(self.tiers[id_].name, id_)

    def of_tier(self, tier_id: str) -> Candidates:
        """The tier's candidates, then those of its fallback tiers, depth first; none if unknown."""
        return self._of_tier.get(tier_id, ())

    def own(self, tier_id: str) -> Candidates:
        """Without those of its fallback tiers."""
        return self._own.get(tier_id, ())

    def of_model(self, name: str) -> Candidates:
        """Every candidate of that name, in the order of the policy's tiers."""
        return self._of_model.get(name, ())

    def tier_id(self, name: str) -> str | None:
        """The first of the policy's tiers that is called so."""
        return self._tier_ids.get(name)

    def served(self) -> Iterator[tuple[str, str]]:
        """Names that have candidates, and who owns them: tiers, then models; each name once."""
        tiers = [name for name, id_ in self._tier_ids.items() if self._of_tier[id_]]
        yield from ((name, "penstock") for name in tiers)
        for name, candidates in self._of_model.items():
            if name not in self._tier_ids:
                yield name, candidates[0].provider.id.partition("/")[2]

    def _with_fallbacks(self, tier_id: str, seen: set[str]) -> Iterator[str]:
        if tier_id in seen or tier_id not in self.tiers:
            return
        seen.add(tier_id)
        yield tier_id
        for fallback in self.tiers[tier_id].fallback_tiers:
            yield from self._with_fallbacks(fallback, seen)


def _own_candidates(config: SidecarConfig, tiers: Iterable[Tier]) -> dict[str, Candidates]:
    providers = {provider.id: provider for provider in config.providers}
    models = {(p.id, model.name): model for p in config.providers for model in p.models}
    return {
        tier.id: tuple(
            Candidate(
                provider=providers[c.provider],
                model=models[c.provider, c.model],
                tier=tier.name,
                tier_id=tier.id,
                weight=c.weight,
                priority=c.priority,
            )
            for c in tier.candidates
        )
        for tier in tiers
    }


def _by_model(own: dict[str, Candidates]) -> dict[str, Candidates]:
    found: dict[str, list[Candidate]] = {}
    for candidates in own.values():
        for candidate in candidates:
            found.setdefault(candidate.model.name, []).append(candidate)
    return {name: _each_once(candidates) for name, candidates in found.items()}


def _each_once(candidates: Iterable[Candidate]) -> Candidates:
    """A provider's model that several tiers name is tried once, as the first of them says."""
    first: dict[str, Candidate] = {}
    for candidate in candidates:
        first.setdefault(candidate.label, candidate)
    return tuple(first.values())
