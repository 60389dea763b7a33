"""Free plans: what vendors publish of them, each with its source and its day. Most publish nothing.

Written by hand, as no list of prices has it. No I/O but for reading the file beside, once.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from penstock_operator.api.base import ApiModel
from penstock_operator.api.limits import ProviderLimits
from penstock_operator.api.preset import PresetName
from penstock_operator.api.provider_model import ModelName

FILE: Final = "plans.json"


class FreePlan(ApiModel):
    """Of one vendor: the limits of each model that is in it, by the name that he knows."""

    date: date
    source: str
    models: Mapping[ModelName, ProviderLimits]


class FreePlans(ApiModel):
    """By preset."""

    format: Literal[1]
    plans: Mapping[PresetName, FreePlan]


@cache
def free_plans() -> Mapping[PresetName, FreePlan]:
    """Those of this release."""
    text = files(__package__).joinpath(FILE).read_bytes()
    return FreePlans.model_validate_json(text).plans
