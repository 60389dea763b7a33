"""Questions, as the cache knows them."""

from dataclasses import replace

from penstock_config.cache_layout import Shelves
from penstock_sidecar.cache.forms import form_of
from penstock_sidecar.cache.question import Question
from penstock_sidecar.model import Caller
from tests.sidecar.cache.builders import CALLER, TARGET, request

SHELVES = Shelves.of("c", "shop", "main", "scope")


def question(
    name: str, *, shelves: Shelves = SHELVES, caller: Caller = CALLER, size: int = 0
) -> Question:
    """Its request has a body of `size` bytes."""
    form = form_of("openai-chat")
    assert form
    asked = replace(request(), body=b"x" * size)
    return Question(asked, caller, TARGET, "", form, shelves, name, name)
