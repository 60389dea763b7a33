"""What a caller asks of the cache: `Cache-Control` (RFC 9111, 5.2.1) and LiteLLM's body `cache`.

Where both speak, the stricter counts.
"""

import re
from collections.abc import Mapping
from typing import Final

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import CacheControl

_DIRECTIVE: Final = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9a-z-]+)(?:\s*=\s*"?([^",]*)"?)?\s*(?:,|$)')
_MAX_SECONDS: Final = 2**31 - 1
_MAX_DIGITS: Final = 11
"""Enough to be above `_MAX_SECONDS`; `int` refuses thousands."""
NEUTRAL: Final = CacheControl()


def cache_control(headers: Mapping[str, str], body_cache: object) -> CacheControl:
    """Raises `MalformedRequest` where `cache` of the body is not LiteLLM's object."""
    header = headers.get("cache-control")
    if header is None and body_cache is None:
        return NEUTRAL
    return _stricter(_of_header(header or ""), _of_body(body_cache))


def _of_header(text: str) -> CacheControl:
    """Unknown directives are ignored, as the RFC asks; an unreadable `max-age` counts as 0."""
    directives = dict(_DIRECTIVE.findall(text.lower()))
    return CacheControl(
        no_cache="no-cache" in directives,
        no_store="no-store" in directives,
        only_if_cached="only-if-cached" in directives,
        max_age_seconds=_age(directives["max-age"]) if "max-age" in directives else None,
    )


def _age(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        return 0
    digits = text.lstrip("0") or "0"
    return min(int(digits[:_MAX_DIGITS]), _MAX_SECONDS)


def _of_body(cache: object) -> CacheControl:
    """A `namespace` of the caller's own is not kept apart here, so it is not cached at all."""
    match cache:
        case None:
            return NEUTRAL
        case dict():
            apart = cache.get("namespace") is not None
            ttl, age = _seconds(cache, "ttl"), _seconds(cache, "s-maxage", "s-max-age")
            return CacheControl(
                no_cache=apart or _flag(cache, "no-cache"),
                no_store=apart or _flag(cache, "no-store") or ttl == 0,
                max_age_seconds=age,
                store_seconds=ttl,
            )
        case _:
            raise MalformedRequest("`cache` must be an object", param="cache")


def _flag(cache: Mapping[str, object], name: str) -> bool:
    value = cache.get(name)
    if value is not None and not isinstance(value, bool):
        raise MalformedRequest(f"`cache.{name}` must be true or false", param=f"cache.{name}")
    return value is True


def _seconds(cache: Mapping[str, object], *names: str) -> int | None:
    found = []
    for name in names:
        value = cache.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise MalformedRequest(
                f"`cache.{name}` must be a number of seconds", param=f"cache.{name}"
            )
        found.append(min(int(value), _MAX_SECONDS))
    return min(found, default=None)


def _stricter(a: CacheControl, b: CacheControl) -> CacheControl:
    return CacheControl(
        no_cache=a.no_cache or b.no_cache,
        no_store=a.no_store or b.no_store,
        only_if_cached=a.only_if_cached or b.only_if_cached,
        max_age_seconds=_less(a.max_age_seconds, b.max_age_seconds),
        store_seconds=_less(a.store_seconds, b.store_seconds),
    )


def _less(a: int | None, b: int | None) -> int | None:
    return min((value for value in (a, b) if value is not None), default=None)
