"""What is told of a pod, and to whose readers: Events on its owner. Pure.

A pod that is being admitted has no name yet, and one that is refused never gets any; its owner is
what people look at with `kubectl describe`.
"""

from dataclasses import dataclass
from typing import Literal

from penstock_operator.delivery.owner import Owner


@dataclass(frozen=True, slots=True)
class Announcement:
    """One Event to be. The message holds no secret: whoever reads Events reads it."""

    owner: Owner
    type: Literal["Normal", "Warning"]
    reason: str
    message: str
