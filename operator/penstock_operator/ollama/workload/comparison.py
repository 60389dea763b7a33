"""Whether what is there lacks something of what is wanted."""

from collections.abc import Mapping, Sequence
from typing import Any


def differs(there: Any, wanted: Any) -> bool:
    """What the server, or others, added to it does not count: fields, keys, labels, not elements
    of lists; nor does an empty text that it dropped, as of a variable's value. Amounts must be
    written as the server writes them."""
    if isinstance(wanted, Mapping):
        if not isinstance(there, Mapping):
            return True
        return any(differs(there.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        if not isinstance(there, Sequence) or isinstance(there, str):
            return not (there is None and not wanted)
        pairs = zip(there, wanted, strict=False)
        return len(there) != len(wanted) or any(differs(*pair) for pair in pairs)
    return bool(there != wanted) and not (there is None and wanted == "")
