"""A turn of a conversation as it is kept: what the user said, and what the model answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

import orjson

from penstock_sidecar.dialects.document import parse
from penstock_sidecar.metering.estimate import BYTES_PER_TOKEN, IMAGE_TOKENS
from penstock_sidecar.model import Api, JsonObject
from penstock_sidecar.normalise.rewritten import READERS

ABOUT_BEFORE: Final = "In short, this is what we said before:\n\n"
UNDERSTOOD: Final = "I remember."


@dataclass(frozen=True, slots=True, repr=False)
class Turn:
    """`member` is what lies in Redis. `api` is the dialect of the user's message."""

    member: bytes
    api: Api
    user: JsonObject
    answer: str
    images: int
    tokens: int
    """At least what metering will guess of it."""
    plain: bool
    """Text alone, which all dialects say alike; not every one takes an empty one."""

    def messages(self) -> tuple[JsonObject, JsonObject]:
        return self.user, {"role": "assistant", "content": self.answer}

    def told_in(self, api: Api) -> bool:
        return self.plain or dialect_of(api) == self.api


@dataclass(frozen=True, slots=True, repr=False)
class Summary:
    """What older turns came to."""

    member: bytes
    text: str

    @property
    def tokens(self) -> int:
        return _tokens(orjson.dumps(self.messages()))

    def messages(self) -> tuple[JsonObject, JsonObject]:
        """A turn like others: not every dialect has a place for instructions between them."""
        asked = {"role": "user", "content": ABOUT_BEFORE + self.text}
        return asked, {"role": "assistant", "content": UNDERSTOOD}

    def told_in(self, _: Api) -> bool:
        return True


def dialect_of(api: Api) -> Api:
    return "anthropic-messages" if api == "anthropic-count-tokens" else api


def encoded_turn(nonce: str, api: Api, user: JsonObject, answer: str) -> bytes:
    """`nonce` tells it from an equal one."""
    return orjson.dumps({"nonce": nonce, "api": dialect_of(api), "user": user, "answer": answer})


def encoded_summary(nonce: str, text: str) -> bytes:
    return orjson.dumps({"nonce": nonce, "summary": text})


def decoded(member: bytes, content: bytes) -> Turn | Summary | None:
    """None for what another version wrote."""
    match parse(content):
        case {"api": str(api), "user": Mapping() as user, "answer": str(answer)} if api in READERS:
            return _turn(member, cast("Api", api), user, answer)
        case {"summary": str(text)}:
            return Summary(member, text)
        case _:
            return None


def _turn(member: bytes, api: Api, user: JsonObject, answer: str) -> Turn:
    given = READERS[api]({"messages": [user]})
    text = orjson.dumps([user, {"role": "assistant", "content": answer}])
    tokens = _tokens(text, given.inline_bytes) + given.images * IMAGE_TOKENS
    said = user.get("content")
    plain = isinstance(said, str) and bool(said.strip()) and given.text_only
    return Turn(member, api, user, answer, given.images, tokens, plain)


def _tokens(text: bytes, apart_bytes: int = 0) -> int:
    return -(-(len(text) - apart_bytes) // BYTES_PER_TOKEN)
