"""The Lua scripts: each is the shared ledger with one operation appended."""

import hashlib
from importlib.resources import files
from typing import Final

from penstock_sidecar.store import Script


def _script(name: str) -> Script:
    texts = (files(__package__).joinpath("lua", f"{part}.lua") for part in ("ledger", name))
    text = "\n".join(part.read_text("utf-8") for part in texts)
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


ACQUIRE: Final = _script("acquire")
SETTLE: Final = _script("settle")
RENEW: Final = _script("renew")
PUBLISH: Final = _script("publish")
