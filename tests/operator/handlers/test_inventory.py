"""What the inventory keeps of what watches say, and what it calls a change."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from penstock_config.codec import digest, encode
from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.older import credentials_as_version_1
from penstock_operator.api.budget import Budget
from penstock_operator.api.names import DIGEST_ANNOTATION
from penstock_operator.cluster.published import LABELS
from penstock_operator.compile.problem import ObjectRef
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.plan import Published
from tests.operator.handlers.bodies import Body, budget, meta

REF = ObjectRef("Budget", "shop", "money")


def test_a_new_object_is_a_change_and_the_same_again_is_none() -> None:
    inventory = Inventory()
    assert inventory.note_object(budget())
    assert not inventory.note_object(budget())
    assert inventory.objects[REF].resource is not None


def test_our_own_status_is_no_change() -> None:
    inventory = Inventory()
    inventory.note_object(budget())
    told = budget() | {"status": {"observedGeneration": 1, "conditions": [{"type": "Accepted"}]}}
    assert not inventory.note_object(told)
    assert inventory.objects[REF].observed_generation == 1
    assert inventory.objects[REF].conditions == ({"type": "Accepted"},)


def test_a_changed_spec_and_a_deletion_are_changes() -> None:
    inventory = Inventory()
    inventory.note_object(budget())
    assert inventory.note_object(budget(generation=2, limits={"daily": "6"}))
    assert inventory.note_object(budget(), gone=True)
    assert not inventory.note_object(budget(), gone=True)
    assert inventory.objects == {}


def test_an_object_that_no_longer_parses_stays_in_force_as_it_was() -> None:
    inventory = Inventory()
    inventory.note_object(budget())
    assert inventory.note_object(budget(generation=2, limits={"daily": "much"}))
    seen = inventory.objects[REF]
    assert seen.fault is not None
    assert seen.fault.reason == "InvalidSpec"
    assert isinstance(seen.resource, Budget)
    assert seen.resource.spec.limits is not None
    assert seen.resource.spec.limits.daily == "5"
    assert seen.generation == 2


def test_a_bad_object_in_place_of_a_good_one_inherits_nothing() -> None:
    inventory = Inventory()
    inventory.note_object(budget())
    other = budget(limits={"daily": "much"})
    other["metadata"]["uid"] = "another"
    inventory.note_object(other)
    assert inventory.objects[REF].resource is None


def test_only_labels_of_a_namespace_matter() -> None:
    inventory = Inventory()
    assert inventory.note_namespace(meta("Namespace", "shop", labels={"a": "b"}))
    assert not inventory.note_namespace(meta("Namespace", "shop", labels={"a": "b"}))
    assert inventory.note_namespace(meta("Namespace", "shop", labels={"a": "c"}))


def test_a_namespace_that_is_being_deleted_is_gone() -> None:
    inventory = Inventory()
    inventory.note_namespace(meta("Namespace", "shop"))
    leaving = meta("Namespace", "shop", deletionTimestamp="2026-01-01T00:00:00Z")
    assert inventory.note_namespace(leaving)
    assert inventory.namespaces == {}


def pod(phase: str = "Running", **labels: str) -> Body:
    return meta("Pod", "p", labels=labels) | {"status": {"phase": phase}}


def pod_at(version: str, **more: str) -> Body:
    return {"metadata": {**pod()["metadata"], "resourceVersion": version, **more}}


def test_only_labels_of_a_living_pod_matter() -> None:
    inventory = Inventory()
    assert inventory.note_pod(pod("Pending", app="a"))
    assert not inventory.note_pod(pod("Running", app="a"))
    assert inventory.note_pod(pod("Running", app="b"))
    assert inventory.note_pod(pod("Succeeded", app="b"))
    assert inventory.pods == {}


def test_a_touch_is_no_reason_to_compile_and_is_heard_of() -> None:
    inventory, heard = Inventory(), list[str]()
    inventory.listeners.append(lambda: heard.append("moved"))
    assert inventory.note_pod(pod())
    marked = pod()
    marked["metadata"]["annotations"] = {"penstock.dev/config": "mark"}
    assert not inventory.note_pod(marked)
    assert inventory.pods["shop", "p"].mark == "mark"
    assert len(heard) == 2
    assert not inventory.note_pod(marked)
    assert len(heard) == 2, "nothing moved"


def test_what_is_published_is_heard_of_once() -> None:
    inventory, heard = Inventory(), list[str]()
    inventory.listeners.append(lambda: heard.append("moved"))
    for _ in range(2):
        inventory.note_written("shop", Published("a", "b"))
    assert len(heard) == 1


def test_our_own_touch_is_known_before_the_watch_says_it_and_of_that_very_pod() -> None:
    inventory = Inventory()
    inventory.note_pod(pod())
    seen = inventory.pods["shop", "p"]
    inventory.note_touched(seen, "mark", "7")
    assert inventory.pods["shop", "p"].mark == "mark"
    inventory.note_touched(replace(seen, uid="of-another"), "other", "8")
    inventory.note_touched(replace(seen, name="gone"), "other", "9")
    assert [each.mark for each in inventory.pods.values()] == ["mark"]


def test_what_the_watch_tells_of_before_our_touch_does_not_undo_it() -> None:
    """Else the pod would be touched again, and once more for each such event."""
    inventory = Inventory()
    inventory.note_pod(pod_at("8"))
    inventory.note_touched(inventory.pods["shop", "p"], "mark", "10")
    inventory.note_pod(pod_at("9"))
    assert inventory.pods["shop", "p"].mark == "mark"
    inventory.note_pod(pod_at("11"))
    assert inventory.pods["shop", "p"].mark == "", "somebody took it away"
    inventory.note_pod(pod_at("9"))
    assert inventory.pods["shop", "p"].mark == ""


def test_of_a_pod_made_anew_no_touch_is_known() -> None:
    inventory = Inventory()
    inventory.note_pod(pod_at("8"))
    inventory.note_touched(inventory.pods["shop", "p"], "mark", "10")
    inventory.note_pod(pod_at("9", uid="another"))
    assert inventory.pods["shop", "p"].mark == ""


def secret(credentials: Credentials, **annotations: str) -> Body:
    data, older = encode(credentials), credentials_as_version_1(credentials)
    files = {"credentials.v2.json": data, "credentials.v1.json": older}
    right = {DIGEST_ANNOTATION: digest(data)}
    document: dict[str, Any] = meta(
        "Secret", "penstock-credentials", labels=LABELS, annotations=right | annotations
    )
    return document | {
        "data": {name: base64.b64encode(each).decode() for name, each in files.items()}
    }


CREDENTIALS = Credentials(scope_key=SecretStr("hush" * 8))
BOTH = Published(
    credentials=digest(encode(CREDENTIALS)),
    older_credentials=digest(credentials_as_version_1(CREDENTIALS)),
)


def test_credentials_are_kept_as_digest_and_scope_key_alone() -> None:
    inventory = Inventory()
    assert inventory.note_credentials(secret(CREDENTIALS))
    assert inventory.published["shop"] == BOTH
    assert inventory.scope_keys == {"shop": "hush" * 8}
    assert "hush" not in repr(inventory)


def test_what_was_changed_by_hand_counts_as_wrong() -> None:
    inventory = Inventory()
    inventory.note_credentials(secret(CREDENTIALS, **{DIGEST_ANNOTATION: "other"}))
    assert inventory.published["shop"].credentials == ""


def test_credentials_that_cannot_be_read_count_as_wrong() -> None:
    inventory = Inventory()
    spoiled = secret(CREDENTIALS) | {"data": {"credentials.v2.json": "%%%"}}
    inventory.note_credentials(spoiled)
    assert inventory.published["shop"].credentials == ""
    assert inventory.scope_keys == {}


def test_the_scope_key_that_the_operator_before_wrote_is_kept() -> None:
    inventory = Inventory()
    former = {"credentials.v1.json": secret(CREDENTIALS)["data"]["credentials.v1.json"]}
    inventory.note_credentials(secret(CREDENTIALS) | {"data": former})
    assert inventory.scope_keys == {"shop": "hush" * 8}
    assert inventory.published["shop"].credentials == "", "written anew, in both versions"


def test_what_we_wrote_is_known_before_the_watch_says_it() -> None:
    inventory = Inventory()
    inventory.note_written("shop", BOTH)
    assert not inventory.note_credentials(secret(CREDENTIALS))


def test_a_pair_that_is_gone_leaves_nothing() -> None:
    inventory = Inventory()
    inventory.note_credentials(secret(CREDENTIALS))
    inventory.note_config(meta("ConfigMap", "penstock-config"))
    assert inventory.published["shop"].config == "", "not ours, so not right"
    inventory.note_config(meta("ConfigMap", "penstock-config"), gone=True)
    assert inventory.note_credentials(meta("Secret", "penstock-credentials"), gone=True)
    assert inventory.published == {}


def test_credentials_that_somebody_deleted_come_back_with_their_scope_key() -> None:
    """With another key every user's counters and every cached answer would be out of reach."""
    inventory = Inventory()
    inventory.note_credentials(secret(CREDENTIALS))
    inventory.note_credentials(meta("Secret", "penstock-credentials"), gone=True)
    assert inventory.scope_keys == {"shop": "hush" * 8}


ACCESS = RedisAccess(url="redis://r", username="own", password=SecretStr("hush"))


def test_the_published_way_to_redis_is_known_until_the_secret_goes() -> None:
    inventory = Inventory(redis_passwords={"shop": "made"})
    inventory.note_credentials(secret(CREDENTIALS.model_copy(update={"redis": ACCESS})))
    assert inventory.redis_access == {"shop": ACCESS}
    assert inventory.redis_passwords == {}, "the Secret has one now"
    assert "hush" not in repr(inventory)
    inventory.note_credentials(meta("Secret", "penstock-credentials"), gone=True)
    assert inventory.redis_access == {}


def test_credentials_without_redis_lead_nowhere() -> None:
    inventory = Inventory()
    inventory.note_credentials(secret(CREDENTIALS))
    assert inventory.redis_access == {}


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, '{"redis": {"url": "\\ud800"}}', '{"redis": {"url": 1}}', '{"redis": []}', "1"],
    ids=["nested", "surrogate", "number", "list", "no-object"],
)
def test_a_way_to_redis_that_we_could_not_write_is_none(text: str) -> None:
    inventory = Inventory()
    spoiled = base64.b64encode(text.encode()).decode()
    inventory.note_credentials(secret(CREDENTIALS) | {"data": {"credentials.v2.json": spoiled}})
    assert inventory.redis_access == {}


def test_a_static_pod_is_none_of_ours_whatever_its_labels() -> None:
    inventory = Inventory()
    annotations = {"kubernetes.io/config.mirror": "hash"}
    inventory.note_pod(meta("Pod", "etcd", "shop", labels={}, annotations=annotations))
    assert inventory.pods == {}


def test_a_namespace_that_goes_takes_a_password_along_that_was_never_published() -> None:
    inventory = Inventory(redis_passwords={"shop": "hush"})
    inventory.note_namespace(meta("Namespace", "shop", ""), gone=True)
    assert inventory.redis_passwords == {}


def test_a_namespace_that_goes_takes_its_scope_key_along() -> None:
    inventory = Inventory(scope_keys={"shop": "hush"})
    inventory.note_namespace(meta("Namespace", "shop", ""), gone=True)
    assert inventory.scope_keys == {}


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, '{"scope_key": "\\ud800"}', '{"scope_key": ""}'],
    ids=["nested", "surrogate", "empty"],
)
def test_what_a_tenant_writes_over_the_credentials_stops_nobody(text: str) -> None:
    inventory = Inventory()
    spoiled = base64.b64encode(text.encode()).decode()
    inventory.note_credentials(secret(CREDENTIALS) | {"data": {"credentials.v2.json": spoiled}})
    assert inventory.published["shop"].credentials == ""
    assert inventory.scope_keys == {}
