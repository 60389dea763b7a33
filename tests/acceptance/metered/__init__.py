"""A fake provider that bills by its own meter, whatever it reports.

A real HTTP server. One byte of text is one token, both ways: a bound that counts bytes as tokens
is tight here, and one byte short of it shows. The meter knows of every request what was really
generated, what that costs, and whether a client can know it.
"""

from tests.acceptance.metered.caller import Heard, ask
from tests.acceptance.metered.plan import Plan
from tests.acceptance.metered.provider import MeteredProvider
from tests.acceptance.metered.traffic import Offer, offer
from tests.acceptance.metered.work import Asked, Meter, Tariff, Work

__all__ = [
    "Asked",
    "Heard",
    "Meter",
    "MeteredProvider",
    "Offer",
    "Plan",
    "Tariff",
    "Work",
    "ask",
    "offer",
]
