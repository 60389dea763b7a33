"""`python -m bench routing` measures every strategy, over as many rules and candidates as said."""

from bench.routing import (
    MODELS,
    PROVIDERS,
    RULES,
    STRATEGIES,
    configuration,
    routing_table,
    routing_times,
)


def test_every_strategy_decides_among_forty_candidates_after_fifty_rules() -> None:
    config = configuration("Adaptive")
    (tier,), (policy,) = config.tiers, config.policies
    assert (len(tier.candidates), len(policy.rules)) == (PROVIDERS * MODELS, RULES) == (40, 50)
    lines = routing_table(routing_times(8)).splitlines()
    assert [name in line for name, line in zip(STRATEGIES, lines[3:], strict=True)] == [True] * 7
    assert lines[2].endswith("| 1.0 |"), "the floor is the measure"
