"""What the validator says of an AdmissionReview."""

import base64
import json
from typing import Any, Final

import pytest

from penstock_operator.compile.problem import ObjectRef, Problem
from penstock_operator.webhook.review import MAX_WARNING_BYTES, MAX_WARNINGS, Verdict, judge

TAGS: Final = {"tagsFrom": [{"name": "agent", "type": "Header", "header": {"name": "x-agent"}}]}


def request(
    spec: dict[str, Any], operation: str = "CREATE", kind: str = "Budget"
) -> dict[str, Any]:
    document = {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": "a", "namespace": "b"},
        "spec": spec,
    }
    return {"uid": "u", "operation": operation, "object": document}


def test_a_good_object_is_allowed_without_a_word() -> None:
    assert judge(request({"limits": {"daily": "5"}})) == Verdict("allowed")


def test_an_object_that_does_not_parse_is_denied_with_each_fault() -> None:
    verdict = judge(request({"limits": {"daily": "much"}, "colour": "red"}))
    assert verdict.result == "denied"
    assert "spec.limits.daily" in verdict.message
    assert "spec.colour" in verdict.message


def test_an_object_that_is_wrong_in_itself_is_denied_with_what_to_change() -> None:
    verdict = judge(request({"limits": {"daily": "5"}, "timeZone": "Mars/Olympus"}))
    assert verdict.result == "denied"
    assert verdict.message.startswith("spec.timeZone: is no IANA time zone: write one such as")


def test_a_field_without_effect_is_allowed_with_a_warning() -> None:
    spec = {"defaultTier": {"name": "fast"}, "attribution": TAGS}
    verdict = judge(request(spec, kind="RoutePolicy"))
    assert verdict.result == "warned"
    assert any("spec.attribution" in warning for warning in verdict.warnings)
    assert verdict.answer("u")["response"]["allowed"] is True


def test_a_provider_on_this_machine_is_denied() -> None:
    spec = {"type": "openai", "baseURL": "http://169.254.169.254/v1", "models": []}
    assert judge(request(spec, kind="LLMProvider")).result == "denied"


@pytest.mark.parametrize("operation", ["DELETE", "CONNECT"])
def test_what_has_no_new_object_is_allowed(operation: str) -> None:
    asked = request({"limits": {"daily": "much"}}, operation)
    if operation == "CONNECT":
        asked["object"] = None
    assert judge(asked) == Verdict("allowed")


def test_a_patch_is_answered_as_the_api_server_reads_it() -> None:
    operation = {"op": "add", "path": "/metadata/labels", "value": {}}
    response = Verdict("allowed", patch=(operation,)).answer("u")["response"]
    assert response["patchType"] == "JSONPatch"
    assert json.loads(base64.b64decode(response["patch"])) == [operation]


def test_warnings_stay_within_what_the_api_server_hands_on() -> None:
    ref = ObjectRef("Budget", "b", "a")
    many = tuple(
        Problem(ref, "Enforced", "NotYetEnforced", "ä" * 500, "warning") for _ in range(40)
    )
    warnings = judge(request({}), lambda _: many).warnings
    assert len(warnings) == MAX_WARNINGS
    assert all(len(warning.encode()) <= MAX_WARNING_BYTES for warning in warnings)
    assert all(warning.endswith("…") for warning in warnings)


def test_a_denial_is_a_status_that_kubectl_prints() -> None:
    answer = Verdict("denied", "spec.x: remove it").answer("u")
    assert answer["kind"] == "AdmissionReview"
    assert answer["response"] == {
        "uid": "u",
        "allowed": False,
        "status": {"code": 422, "reason": "Invalid", "message": "spec.x: remove it"},
    }


def update(old_spec: dict[str, Any], spec: dict[str, Any], **metadata: str) -> dict[str, Any]:
    asked = request(spec, "UPDATE")
    asked["object"]["metadata"] |= metadata
    return asked | {"oldObject": request(old_spec)["object"]}


INVALID: dict[str, Any] = {"limits": {"daily": "5"}, "timeZone": "Mars/Olympus"}


def test_an_object_that_came_past_us_can_be_labelled() -> None:
    verdict = judge(update(INVALID, INVALID))
    assert verdict.result == "warned"
    assert "spec.timeZone" in verdict.warnings[0]


def test_an_object_that_is_wrong_and_goes_away_loses_its_finalizers() -> None:
    leaving = update({"limits": {}}, INVALID, deletionTimestamp="2026-01-01T00:00:00Z")
    assert judge(leaving).result == "warned"


def test_a_change_that_leaves_a_fault_is_denied() -> None:
    assert judge(update(INVALID, INVALID | {"limits": {"daily": "6"}})).result == "denied"


@pytest.mark.parametrize("old", [None, [], "text", {}])
def test_an_update_whose_old_object_is_not_there_is_judged_by_the_new_one(old: object) -> None:
    assert judge(update({}, INVALID) | {"oldObject": old}).result == "denied"


def test_an_update_whose_old_object_is_invalid_may_mend_it() -> None:
    assert judge(update(INVALID, {"limits": {"daily": "5"}})) == Verdict("allowed")
