"""Where requests wait for their turn."""

from pydantic import Field

from penstock_config.base import ConfigModel


class Queue(ConfigModel):
    """Bounds of waiting, per sidecar."""

    max_wait_seconds: float = Field(30, gt=0)
    max_length: int = Field(100, ge=1)
