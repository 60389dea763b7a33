"""The attempts of one request: who is asked, how often, how long, and whose answer it gets.

```
for tier in order:                                fallback tiers, a saturated tier's queue
    race of two lanes, where the tier hedges:     hedge: the first content wins
        for candidate left in the tier:           fallback
            until it serves or that is pointless: retry
                async with ticket.attempt:        acquire ... settle
                    async with upstream.call:     call, first content
                        relay to the caller       from here on nobody else can take over
```

All of it ends by the request's `Deadline`; a stream that has begun goes on.
"""

from penstock_sidecar.attempts.deadline import Deadline, deadline_of
from penstock_sidecar.attempts.hedging import Hedging
from penstock_sidecar.attempts.means import Means, retry_ration
from penstock_sidecar.attempts.relay import Relay
from penstock_sidecar.attempts.serving import Serving
from penstock_sidecar.attempts.state import State
from penstock_sidecar.attempts.times import FirstContentTimes

__all__ = [
    "Deadline",
    "FirstContentTimes",
    "Hedging",
    "Means",
    "Relay",
    "Serving",
    "State",
    "deadline_of",
    "retry_ration",
]
