"""Which managed provider goes first: by the tiers that lead to it, and are in force."""

from collections.abc import Mapping

from penstock_config.tier import Tier


def priorities(tiers: Mapping[str, Tier], said: Mapping[str, int]) -> dict[str, int]:
    """By provider's id, the highest of its tiers. `tiers`: as sidecars have them, so that one that
    the provider has not consented to does not count; `said`: `spec.priority` by tier's id."""
    found: dict[str, int] = {}
    for id_, tier in tiers.items():
        judge = tier.ensemble.judge if tier.ensemble else None
        named = [candidate.provider for candidate in tier.candidates]
        for provider in {*named, *([judge.provider] if judge else [])}:
            found[provider] = max(found.get(provider, 0), said.get(id_, 0))
    return found
