"""The contract's types: closed, immutable, and whole."""

import pytest
from pydantic import ValidationError

from penstock_config.base import ConfigModel
from penstock_config.budget import Budget, Downgrade
from penstock_config.policy import Policy
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Tier


@pytest.mark.parametrize(
    "type_", ConfigModel.__subclasses__(), ids=lambda type_: f"{type_.__module__}.{type_.__name__}"
)
def test_every_type_is_closed_and_immutable_and_hides_what_it_was_given(
    type_: type[ConfigModel],
) -> None:
    config = type_.model_config
    assert (config.get("extra"), config.get("frozen")) == ("forbid", True)
    assert config.get("hide_input_in_errors")
    assert not type_.__subclasses__(), "the codec knows direct children alone"


def test_a_tier_that_is_not_there_is_refused() -> None:
    tier = Tier(id="n/t", name="t", candidates=(), fallback_tiers=("n/gone",))
    with pytest.raises(ValidationError, match="unresolved: tier n/gone"):
        SidecarConfig(cluster="c", namespace="n", tiers=(tier,))


def test_a_downgrade_to_a_tier_that_is_not_there_is_refused() -> None:
    policy = Policy(id="n/p", tiers=(), downgrade_tiers=("n/gone",))
    with pytest.raises(ValidationError, match="unresolved: tier n/gone"):
        SidecarConfig(cluster="c", namespace="n", policies=(policy,))
    budget = Budget(id="n/b", on_exceeded="Downgrade", downgrade=Downgrade(tier="n/gone"))
    with pytest.raises(ValidationError, match="unresolved: tier n/gone"):
        SidecarConfig(cluster="c", namespace="n", budgets=(budget,))


def test_a_model_that_is_not_there_is_refused() -> None:
    tier = Tier(id="n/t", name="t", candidates=(Candidate(provider="n/p", model="m"),))
    with pytest.raises(ValidationError, match="unresolved: model m of n/p"):
        SidecarConfig(cluster="c", namespace="n", tiers=(tier,))
