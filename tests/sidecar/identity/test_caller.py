"""Who asks: the pod's own identity, and a user that only narrows it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_config.policy import Identity, UserSource
from penstock_sidecar.errors import MalformedRequest, UserRequired
from penstock_sidecar.identity.caller import MAX_USER_CHARACTERS, Identifier
from penstock_sidecar.model import ANONYMOUS, Api, Caller, Pod, Request

steady = settings(deadline=None, derandomize=True)

POD = Pod("shop", "web-1", "web", {})
EVERY_SOURCE = Identity(
    user_from=(
        UserSource(kind="Header", name="X-Team-User"),
        UserSource(kind="BodyUser"),
        UserSource(kind="MetadataUserId"),
    )
)


def request(document: dict[str, object] | None = None, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("c1", "m", False, False, b"", document or {}, named)


def user(identity: Identity, asked: Request) -> str:
    return Identifier(identity, POD).identify(asked).user


def test_namespace_app_and_pod_are_the_pods_own() -> None:
    asked = request({"user": "ann"}, x_penstock_app="other", x_penstock_namespace="other")
    assert Identifier(Identity(), POD).identify(asked) == Caller("shop", "web", "web-1", "ann")


def test_by_default_the_header_wins_over_the_bodys_user() -> None:
    assert user(Identity(), request({"user": "bob"}, x_penstock_user="ann")) == "ann"
    assert user(Identity(), request({"user": "bob"})) == "bob"


def test_the_first_source_that_has_a_value_wins() -> None:
    document: dict[str, object] = {"user": "body", "metadata": {"user_id": "meta"}}
    assert user(EVERY_SOURCE, request(document, x_team_user="head")) == "head"
    assert user(EVERY_SOURCE, request(document)) == "body"
    assert user(EVERY_SOURCE, request({"metadata": {"user_id": "meta"}})) == "meta"


@pytest.mark.parametrize("api", ["anthropic-messages", "anthropic-count-tokens"])
def test_anthropic_s_field_for_the_user_is_its_metadata(api: Api) -> None:
    asked = replace(request({"metadata": {"user_id": "ann"}, "user": "bob"}), api=api)
    assert user(Identity(), asked) == "ann"


@pytest.mark.parametrize("nothing", [None, "", "   "])
def test_a_source_without_a_value_is_passed_over(nothing: object) -> None:
    asked = request({"user": nothing, "metadata": {"user_id": "meta"}}, x_team_user=" ")
    assert user(EVERY_SOURCE, asked) == "meta"


def test_nobody_named_is_anonymous() -> None:
    assert user(EVERY_SOURCE, request()) == ANONYMOUS
    assert user(EVERY_SOURCE, request({"metadata": None})) == ANONYMOUS


def test_nobody_named_is_refused_where_a_user_is_required_saying_how_to_name_one() -> None:
    with pytest.raises(UserRequired, match=r"header x-penstock-user or `user` in the body"):
        user(Identity(required=True), request())


@pytest.mark.parametrize(
    "document",
    [
        {"user": 7},
        {"user": ["ann"]},
        {"metadata": "ann"},
        {"metadata": {"user_id": {"id": 1}}},
        {"user": "a" * (MAX_USER_CHARACTERS + 1)},
        {"user": "ann\nbob"},
        {"user": "ann\x00"},
        {"user": "ann\x7fbob"},
        {"user": "ann\u2028bob"},
        {"user": "ann\ud800"},
    ],
)
def test_what_cannot_be_a_name_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(MalformedRequest) as caught:
        user(EVERY_SOURCE, request(document))
    assert "ann" not in caught.value.public


def test_bytes_of_a_header_that_are_no_text_are_refused() -> None:
    undecodable = b"ann\xff".decode("utf-8", "surrogateescape")
    with pytest.raises(MalformedRequest):
        user(Identity(), request(x_penstock_user=undecodable))


@steady
@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=256))
def test_any_printable_name_is_taken_as_it_is(name: str) -> None:
    assert user(Identity(), request({"user": name})) == name
