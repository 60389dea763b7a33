"""How much each model is asked for, smoothed, so that a moment moves nothing."""

import math
from collections.abc import Iterable, Mapping
from typing import Final

SECONDS: Final = 300.0
"""After so long a demand that has ended counts for a third."""
DIGITS: Final = 2
"""What differs by less is equal: a plan is made anew for what can be told apart."""


def smoothed(
    former: Mapping[str, float], asked: Mapping[str, int], models: Iterable[str], seconds: float
) -> dict[str, float]:
    """`asked`: requests now, by model; `seconds`: since `former` was true."""
    share = -math.expm1(-max(0.0, seconds) / SECONDS)
    return {
        model: before + (asked.get(model, 0) - before) * share
        for model in models
        for before in (former.get(model, 0.0),)
    }


def rounded(demand: Mapping[str, float]) -> dict[str, float]:
    """To be planned with."""
    return {model: round(amount, DIGITS) for model, amount in demand.items()}
