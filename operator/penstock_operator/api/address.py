"""Addresses that a provider must not have: this machine, its link, or a cloud's metadata service.

The same expressions run in the API server (RE2, by CEL) and here, so they keep to what both know.
They look at the whole URL: CEL's cost is bounded by lengths, and that of a part is not known.
"""

import re
from typing import Annotated, Final

from pydantic import Field

URL_PATTERN: Final = (
    r"^https?://([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]+\])"
    r"(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?$"
)
Url = Annotated[str, Field(max_length=1024, pattern=URL_PATTERN)]
"""http or https; without user, password, query and fragment."""

_END: Final = "[.]?(:[0-9]+)?(/|$)"
_NAMES: Final = (
    "(?i)://(([^/:]*[.])?localhost|ip6-(localhost|loopback)"
    "|metadata([.]google[.]internal)?|instance-data([.]ec2[.]internal)?)" + _END
)
_IPV4: Final = (
    "://((0|127)([.][0-9]+){3}|169[.]254[.][0-9.]+|100[.]100[.]100[.]200|168[.]63[.]129[.]16)"
    + _END
)
_IPV6: Final = (
    r"(?i)://\[([0:]*:0*1?|[0:]*:ffff:[^\]]*|fe[89ab][0-9a-f]:[^\]]*|fd00:ec2:[^\]]*"
    r"|64:ff9b:[^\]]*|[^\]]*[.][^\]]*)\]"
)
_NUMBER: Final = "(?i)://([^/:]*[.])?(0x[0-9a-f]*|[0-9]+)" + _END
_QUAD: Final = "://(0|[1-9][0-9]{0,2})([.](0|[1-9][0-9]{0,2})){3}(:[0-9]+)?(/|$)"
"""An address is written as four plain numbers: `127.1`, `0x7f000001` and `2130706433` are none."""


def is_local(url: str) -> bool:
    """Whether a `Url` leads where no provider can be."""
    if any(re.search(pattern, url) for pattern in (_NAMES, _IPV4, _IPV6)):
        return True
    return bool(re.search(_NUMBER, url)) and not re.search(_QUAD, url)


def not_local_cel(field: str) -> str:
    """`is_local` as CEL, negated, for an optional field of `self`."""
    refused = " || ".join(f"self.{field}.matches(r'{p}')" for p in (_NAMES, _IPV4, _IPV6))
    odd = f"(self.{field}.matches(r'{_NUMBER}') && !self.{field}.matches(r'{_QUAD}'))"
    return f"!has(self.{field}) || !({refused} || {odd})"
