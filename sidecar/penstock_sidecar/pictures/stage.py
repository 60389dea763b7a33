"""Makes the pictures of requests no larger than a policy says, before anything is counted by them.

One thread for all requests of a configuration: a picture has up to 96 MB while it is worked on.
"""

import asyncio
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from penstock_config.policy import Images
from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import Request
from penstock_sidecar.normalise.rewritten import READERS, rewritten
from penstock_sidecar.pictures.bounds import TooManyPixels
from penstock_sidecar.pictures.places import Place, places_of, with_pictures

MAX_PICTURES: Final = 500
"""In one request, as many as OpenAI takes."""
MILLION: Final = 1_000_000


class Pictures:
    """Of one policy. `close` ends its thread."""

    def __init__(self, images: Images) -> None:
        self._max_side = images.max_side_pixels
        self._thread = ThreadPoolExecutor(1, "pictures")

    async def reduced(self, request: Request) -> Request:
        """The same request with smaller pictures, without metadata. Raises `MalformedRequest` for
        a picture that has too many pixels, or too many pictures."""
        if not request.images or request.api not in READERS:
            return request
        places = list(places_of(request.document))
        if len(places) > MAX_PICTURES:
            raise MalformedRequest(
                f"{len(places)} pictures came with the request: send {MAX_PICTURES} at most",
                param=request.input_field,
            )
        new = {place: data for place in places if (data := await self._reduced(place))}
        return rewritten(request, with_pictures(request.document, new)) if new else request

    async def _reduced(self, place: Place) -> str | None:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, _worked, place.data, self._max_side)
        except TooManyPixels as error:
            raise MalformedRequest(
                f"the picture at `{place.where}` has {error.pixels / MILLION:.0f} million pixels,"
                f" and {error.most // MILLION} million are decoded at most: send a smaller one",
                param=place.where,
            ) from None

    def close(self) -> None:
        """Requests have ended; a picture that is worked on is let go of when it is done."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _worked(data: str, max_side: int) -> str | None:
    """In the thread: base64 to base64; None where it stays as it is."""
    # Pillow takes 10 MB and 50 ms: only where a policy asks for it, and not on the loop.
    from penstock_sidecar.pictures.scale import reduced

    try:
        picture = b64decode(data)
    except ValueError:  # no base64, or not even ASCII
        return None
    smaller = reduced(picture, max_side)
    return None if smaller is None or smaller == picture else b64encode(smaller).decode()
