"""Who may ask for what: a namespace's token, and shelves of that namespace alone."""

import hmac
import re
from collections.abc import Mapping
from typing import Final

from penstock_config.acl import cache_tag
from penstock_config.cache_layout import CACHE_LAYOUT
from penstock_config.embedder import NAMESPACE_HEADER, RefusalCode, namespace_token
from penstock_embedder.errors import Refused

BEARER: Final = "Bearer "
_REST: Final = re.compile(r"[^:{}]+:\{[^:{}]+\}:")
"""Of a shelf, after the namespace: policy and scope."""


class Access:
    """The door of one installation."""

    def __init__(self, secret: str, cluster: str) -> None:
        self._secret = secret
        self._cluster = cluster
        self._tokens: dict[str, str] = {}
        """Of namespaces that have shown theirs: no more of them than there are."""

    def namespace(self, headers: Mapping[str, str]) -> str:
        """Whose token this is. Raises `Refused` in constant time where it is nobody's."""
        name = headers.get(NAMESPACE_HEADER, "")
        given = headers.get("Authorization", "")
        known = self._tokens.get(name)
        expected = known or namespace_token(self._secret, self._cluster, name)
        if not hmac.compare_digest(given.encode(), f"{BEARER}{expected}".encode()) or not name:
            raise Refused(RefusalCode.UNAUTHORISED, "this is not the token of that namespace")
        if known is None:
            self._tokens[name] = expected
        return name

    def check_shelf(self, namespace: str, shelf: str) -> None:
        """Raises `Refused` for a shelf that is not the namespace's."""
        tag = f"{cache_tag(self._cluster, namespace)}:{CACHE_LAYOUT}:"
        if not shelf.startswith(tag) or not _REST.fullmatch(shelf, len(tag)):
            raise Refused(RefusalCode.FOREIGN_SHELF, "this shelf is not one of that namespace")
