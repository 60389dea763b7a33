"""What is written, and what is left alone."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from penstock_config.codec import digest, encode
from penstock_config.credentials import Credentials
from penstock_config.older import as_version_1, credentials_as_version_1
from penstock_config.schema import SidecarConfig
from penstock_operator.compile.files import ConfigFiles, File
from penstock_operator.plan import NamespacePlan, Published, plan_writes


def config(namespace: str) -> SidecarConfig:
    return SidecarConfig(cluster="test", namespace=namespace)


CREDENTIALS = Credentials(scope_key=SecretStr("hush"))


def name_of(value: SidecarConfig | Credentials) -> str:
    return digest(encode(value))


OLDER = File.of(as_version_1(config("a")).data)
OLDER_SECRETS = File.of(credentials_as_version_1(CREDENTIALS))


def plans(**there: Any) -> dict[str, NamespacePlan]:
    found = plan_writes({"a": ConfigFiles.of(config("a"))}, {"a": CREDENTIALS}, **there)
    return {plan.namespace: plan for plan in found}


def test_a_namespace_without_anything_gets_all_files() -> None:
    plan = plans(published={})["a"]
    assert plan.config == File(encode(config("a")), name_of(config("a")))
    assert plan.older == OLDER
    assert plan.credentials == File(encode(CREDENTIALS), name_of(CREDENTIALS))
    assert plan.older_credentials == OLDER_SECRETS
    assert not plan.remove


THERE = Published(name_of(config("a")), name_of(CREDENTIALS), OLDER.digest, OLDER_SECRETS.digest)


def test_what_is_there_already_is_not_written() -> None:
    assert plans(published={"a": THERE}) == {}


@pytest.mark.parametrize("field", ["credentials", "older_credentials"])
def test_both_versions_of_the_credentials_are_written_when_one_differs(field: str) -> None:
    plan = plans(published={"a": replace(THERE, **{field: "spoiled"})})["a"]
    assert plan.credentials == File.of(encode(CREDENTIALS))
    assert (plan.older_credentials, plan.config) == (OLDER_SECRETS, None)


def test_only_the_file_that_differs_is_written() -> None:
    plan = plans(published={"a": Published(name_of(config("a")), "", OLDER.digest)})["a"]
    assert (plan.config, plan.older) == (None, None)
    assert plan.credentials is not None


@pytest.mark.parametrize(
    "there",
    [
        Published("spoiled", None, OLDER.digest),
        Published(name_of(config("a")), None, "spoiled"),
        Published(name_of(config("a")), None, None),
    ],
)
def test_both_versions_are_written_when_one_differs(there: Published) -> None:
    plan = plans(published={"a": there})["a"]
    assert plan.config == File.of(encode(config("a")))
    assert plan.older == OLDER


def test_what_no_policy_wants_any_more_is_removed() -> None:
    assert plans(published={"b": Published("x", None)})["b"].remove


def test_a_kept_namespace_is_neither_written_nor_removed() -> None:
    published = {"b": Published("x", "y")}
    assert plans(published=published, keep=("a", "b")) == {}


def test_plans_do_not_print_secrets() -> None:
    assert "hush" not in repr(plans(published={}))
