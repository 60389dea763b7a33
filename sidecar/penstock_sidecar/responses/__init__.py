"""Responses that are kept, so that a later request can go on from one (`previous_response_id`)."""

from penstock_sidecar.responses.kept import Kept
from penstock_sidecar.responses.memory import Responses

__all__ = ["Kept", "Responses"]
