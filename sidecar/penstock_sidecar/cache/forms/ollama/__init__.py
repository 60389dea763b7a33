"""Ollama's chats and completions: lines of JSON. Both APIs differ in where the text is."""

from functools import partial
from typing import Final

from penstock_sidecar.cache.forms.form import COMMON, Form, Streams
from penstock_sidecar.cache.forms.ollama.assembly import Assembly
from penstock_sidecar.cache.forms.ollama.replay import replayed
from penstock_sidecar.cache.forms.ollama.said import CHAT, GENERATE, Said
from penstock_sidecar.cache.forms.ollama.whole import is_whole
from penstock_sidecar.dialects.framing import LINES
from penstock_sidecar.dialects.ollama.options import options_of
from penstock_sidecar.dialects.ollama.passage import NOT_THE_CALLERS
from penstock_sidecar.model import JsonObject


def temperature(document: JsonObject) -> object:
    return options_of(document).get("temperature")


def _form(said: Said) -> Form:
    return Form(
        whole=partial(is_whole, said),
        streams=Streams(LINES.content_type, partial(Assembly, said), partial(replayed, said)),
        ignored=COMMON | NOT_THE_CALLERS,  # which no provider gets to see
        temperature=temperature,
    )


CHAT_FORM: Final = _form(CHAT)
GENERATE_FORM: Final = _form(GENERATE)
