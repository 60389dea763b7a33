"""`python -m penstock_sidecar.translation docs/translation.md` writes the page.

A test fails when it is stale.
"""

import sys
from pathlib import Path

from penstock_sidecar.translation.page import page

if __name__ == "__main__":
    Path(*sys.argv[1:] or ["docs/translation.md"]).write_text(page(), "utf-8")
