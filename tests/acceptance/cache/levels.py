"""The first two levels, and what is asked of them."""

from typing import Final

from penstock_config.cache import Cache, ExactCache, NormalisedCache
from tests.sidecar.http.edge import Response

EXACT: Final = Cache(exact=ExactCache(ttl_seconds=600))
NORMALISED: Final = Cache(normalised=NormalisedCache(ttl_seconds=600))
BOTH: Final = Cache(exact=ExactCache(ttl_seconds=600), normalised=NormalisedCache(ttl_seconds=600))
LEVELS: Final = {"exact": EXACT, "normalised": NORMALISED, "both": BOTH}


def level(response: Response) -> str:
    assert response.status == 200, response.body
    return response.headers.get("x-penstock-cache", "")


def hit(response: Response) -> bool:
    return level(response).startswith("hit-")
