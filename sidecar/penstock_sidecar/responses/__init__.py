"""Responses that are kept, so that a later request can go on from one (`previous_response_id`)."""

from penstock_sidecar.responses.kept import Kept
from penstock_sidecar.responses.memory import Responses
from penstock_sidecar.responses.paths import in_own_words

__all__ = ["Kept", "Responses", "in_own_words"]
