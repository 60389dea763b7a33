"""Addresses that a provider must not have: this machine, its link, or a cloud's metadata service.

The same expressions run in the API server (RE2, as CEL) and here, so they keep to what both know.
"""

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field

Url = Annotated[
    str,
    Field(
        max_length=1024,
        pattern=r"^https?://([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]+\])"
        r"(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?$",
    ),
]
"""http or https; without user, password, query and fragment."""

_NAMES: Final = (
    r"^((.*[.])?localhost|metadata([.]google[.]internal)?|instance-data([.]ec2[.]internal)?)[.]?$"
)
_IPV4: Final = r"^((0|127)([.][0-9]+){3}|169[.]254[.].*|100[.]100[.]100[.]200|168[.]63[.]129[.]16)$"
_IPV6: Final = r"^([0:]*:0*1?|[0:]*:ffff:.*|fe[89ab][0-9a-f]:.*|fd00:ec2:.*|64:ff9b:.*|.*:.*[.].*)$"
_NUMBER: Final = r"^(.*[.])?(0x[0-9a-f]*|[0-9]+)[.]?$"
_QUAD: Final = r"^(0|[1-9][0-9]{0,2})([.](0|[1-9][0-9]{0,2})){3}$"
"""An address is written as four plain numbers: `127.1`, `0x7f000001` and `2130706433` are none."""


def is_local(url: str) -> bool:
    """Whether the URL leads where no provider can be. True also for one without a host."""
    try:
        host = (urlsplit(url).hostname or "localhost").lower()
    except ValueError:  # brackets around what is no address
        return True
    if any(re.search(pattern, host) for pattern in (_NAMES, _IPV4, _IPV6)):
        return True
    return bool(re.search(_NUMBER, host)) and not re.search(_QUAD, host)


def not_local_cel(field: str) -> str:
    """`is_local` as CEL, negated, for an optional field of `self`."""
    host = f"url(self.{field}).getHostname().lowerAscii()"
    refused = " || ".join(f"{host}.matches('{pattern}')" for pattern in (_NAMES, _IPV4, _IPV6))
    odd = f"({host}.matches('{_NUMBER}') && !{host}.matches('{_QUAD}'))"
    return f"!has(self.{field}) || !isURL(self.{field}) || !({refused} || {odd})"
