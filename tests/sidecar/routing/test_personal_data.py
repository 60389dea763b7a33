"""Personal data goes only to providers that may get it."""

import pytest

from penstock_config.policy import PersonalData
from penstock_sidecar.errors import Denied
from penstock_sidecar.routing.catalogue import Catalogue
from penstock_sidecar.routing.personal_data import REASON, permitted
from tests.sidecar.routing.builders import candidate, config, policy, provider, request, tier

TRUSTED = provider("trusted", "m")
CURIOUS = provider("curious", "m").model_copy(update={"may_send_personal_data": False})
FAST = tier("fast", candidate("curious/m"), candidate("trusted/m"))
RULING = policy("fast")
BOTH = Catalogue(config((TRUSTED, CURIOUS), (FAST,), RULING), RULING).of_tier("shop/fast")


def kept(setting: PersonalData, header: str | None = None) -> list[str]:
    headers = {} if header is None else {"x-penstock-personal-data": header}
    return [c.label for c in permitted(BOTH, request("fast", headers=headers), setting).kept]


def test_always_keeps_only_providers_that_may_get_it() -> None:
    assert kept("Always") == kept("Always", "false") == ["shop/trusted/m"]


def test_never_keeps_all() -> None:
    assert kept("Never") == kept("Never", "true") == ["shop/curious/m", "shop/trusted/m"]


@pytest.mark.parametrize(("header", "most"), [("true", 1), (" TRUE ", 1), ("false", 2), (None, 2)])
def test_by_header_the_caller_says(header: str | None, most: int) -> None:
    assert len(kept("Header", header)) == most


def test_a_drop_has_its_reason() -> None:
    (drop,) = permitted(BOTH, request("fast"), "Always").drops
    assert (drop.candidate, drop.reason) == ("shop/curious/m", REASON)


def test_a_route_on_which_nobody_is_left_is_denied() -> None:
    with pytest.raises(Denied, match="dataPolicy"):
        permitted(BOTH[:1], request("fast"), "Always")
