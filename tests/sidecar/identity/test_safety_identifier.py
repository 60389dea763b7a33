"""OpenAI's newer name for the user."""

import json
from typing import Any

import pytest

from penstock_config.policy import Identity, UserSource
from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.identity.caller import Identifier
from penstock_sidecar.model import ANONYMOUS, Pod
from penstock_sidecar.normalise.openai_responses import parse_response

BY_BODY = Identifier(Identity(user_from=(UserSource(kind="BodyUser"),)), Pod("n", "p", "a", {}))
BY_METADATA = Identifier(
    Identity(user_from=(UserSource(kind="MetadataUserId"),)), Pod("n", "p", "a", {})
)


def user(of: Identifier, **fields: Any) -> str:
    body = json.dumps({"model": "m", "input": "Hi"} | fields).encode()
    return of.identify(parse_response(body, {}, "c")).user


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, ANONYMOUS),
        ({"safety_identifier": "ada"}, "ada"),
        ({"user": "eve", "safety_identifier": "ada"}, "eve"),
        ({"user": None, "safety_identifier": "ada"}, "ada"),
    ],
)
def test_it_names_a_user_whom_nothing_else_names(fields: dict[str, Any], named: str) -> None:
    assert user(BY_BODY, **fields) == named


def test_metadata_names_one_too() -> None:
    assert user(BY_METADATA, metadata={"user_id": "ada"}) == "ada"


def test_it_must_be_a_name() -> None:
    with pytest.raises(MalformedRequest) as caught:
        user(BY_BODY, safety_identifier=3)
    assert caught.value.param == "safety_identifier"
