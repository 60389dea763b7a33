"""Single flight: of equal requests at a time, over all sidecars, one calls its provider.

    request ──► this sidecar's crew ──► the flight in Redis
                 one acts,               one sidecar leads and beats,
                 the others wait         the others look at it now and then

What is shared is an answer that is kept, and nothing else: each who waited finds it by the same
lookup as anybody. Refusals and errors are their own request's, and the next one leads. Nobody
holds a limit or a slot while he waits.
"""

from penstock_sidecar.cache.flight.flights import Flights
from penstock_sidecar.cache.flight.part import End, Fence, Flight

__all__ = ["End", "Fence", "Flight", "Flights"]
