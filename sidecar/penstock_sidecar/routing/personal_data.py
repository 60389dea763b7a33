"""Which requests hold personal data, and which candidates may get them."""

from collections.abc import Sequence
from typing import Final

from penstock_config.policy import PersonalData
from penstock_sidecar.errors import Denied
from penstock_sidecar.model import Candidate, Request
from penstock_sidecar.routing.drops import Drop, Sieved

HEADER: Final = "x-penstock-personal-data"
REASON: Final = "may not get personal data"


def permitted(
    candidates: Sequence[Candidate], request: Request, personal_data: PersonalData
) -> Sieved:
    """Keeps at least one candidate, or raises `Denied`."""
    if not held(request, personal_data):
        return Sieved(tuple(candidates), ())
    return trusted(candidates)


def trusted(candidates: Sequence[Candidate]) -> Sieved:
    """Whose providers may get personal data; raises `Denied` where there is none."""
    kept = tuple(c for c in candidates if c.provider.may_send_personal_data)
    if not kept:
        raise Denied(
            "this request may hold personal data, and no provider that could serve it may get"
            f" any: allow one (dataPolicy), or say {HEADER}: false where the policy heeds it"
        )
    refused = (c for c in candidates if not c.provider.may_send_personal_data)
    return Sieved(kept, tuple(Drop(c.label, REASON, "personal_data") for c in refused))


def held(request: Request, personal_data: PersonalData) -> bool:
    """Whether it is to be treated as if it holds some."""
    match personal_data:
        case "Always":
            return True
        case "Never":
            return False
        case "Header":
            return request.headers.get(HEADER, "").strip().lower() == "true"
