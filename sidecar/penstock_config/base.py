"""What every type of the contract shares."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MicroUsd = Annotated[int, Field(ge=0)]
"""Money in millionths of a US dollar: what Redis counts."""
PicoUsd = Annotated[int, Field(ge=0)]
"""Money in millionths of a millionth of a US dollar: $1 per million tokens is 1,000,000 a token."""
ObjectId = Annotated[str, Field(pattern=r"^[^/]+/[^/]+$")]
"""`<namespace>/<name>` of the custom resource."""


class ConfigModel(BaseModel):
    """Closed and immutable: an unknown field is an error, a loaded configuration never changes."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,  # JSON has neither
        hide_input_in_errors=True,  # some of it is secret
    )
