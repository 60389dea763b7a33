"""What is written, and what is left alone."""

from typing import Any

from pydantic import SecretStr

from penstock_config.codec import digest, encode
from penstock_config.credentials import Credentials
from penstock_config.schema import SidecarConfig
from penstock_operator.plan import File, NamespacePlan, Published, plan_writes


def config(namespace: str) -> SidecarConfig:
    return SidecarConfig(cluster="test", namespace=namespace)


CREDENTIALS = Credentials(scope_key=SecretStr("hush"))


def name_of(value: SidecarConfig | Credentials) -> str:
    return digest(encode(value))


def plans(**there: Any) -> dict[str, NamespacePlan]:
    found = plan_writes({"a": config("a")}, {"a": CREDENTIALS}, **there)
    return {plan.namespace: plan for plan in found}


def test_a_namespace_without_anything_gets_both_files() -> None:
    plan = plans(published={})["a"]
    assert plan.config == File(encode(config("a")), name_of(config("a")))
    assert plan.credentials == File(encode(CREDENTIALS), name_of(CREDENTIALS))
    assert not plan.remove


def test_what_is_there_already_is_not_written() -> None:
    there = Published(name_of(config("a")), name_of(CREDENTIALS))
    assert plans(published={"a": there}) == {}


def test_only_the_file_that_differs_is_written() -> None:
    plan = plans(published={"a": Published(name_of(config("a")), "")})["a"]
    assert plan.config is None
    assert plan.credentials is not None


def test_what_no_policy_wants_any_more_is_removed() -> None:
    assert plans(published={"b": Published("x", None)})["b"].remove


def test_a_kept_namespace_is_neither_written_nor_removed() -> None:
    published = {"b": Published("x", "y")}
    assert plans(published=published, keep=("a", "b")) == {}


def test_plans_do_not_print_secrets() -> None:
    assert "hush" not in repr(plans(published={}))
