"""The Lua scripts: each operation follows the shared ledger, and what else it needs."""

import hashlib
from importlib.resources import files
from typing import Final

from penstock_sidecar.store import Script


def _script(name: str, *parts: str) -> Script:
    names = ("ledger", *parts, name)
    texts = (files(__package__).joinpath("lua", f"{part}.lua") for part in names)
    text = "\n".join(part.read_text("utf-8") for part in texts)
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


ACQUIRE: Final = _script("acquire", "turns")
SETTLE: Final = _script("settle")
RENEW: Final = _script("renew")
PUBLISH: Final = _script("publish")
