"""Ollamas that the operator runs: which replica answers, who waits for one, and what is asked.

roster, choosing (pure) -> fleet (one provider: seats and lines) -> fleets (all) -> news (Redis)
"""

from penstock_sidecar.fleet.fleet import LiveFleet, Seat
from penstock_sidecar.fleet.fleets import Fleets, Trouble
from penstock_sidecar.fleet.news import News, Place
from penstock_sidecar.fleet.roster import Situation

__all__ = ["Fleets", "LiveFleet", "News", "Place", "Seat", "Situation", "Trouble"]
