"""Inventory and Secrets into a snapshot."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.compile.snapshot import (
    EmbedderSettings,
    RedisSettings,
    SecretData,
    SecretId,
)
from penstock_operator.handlers.gathering import (
    embedder_settings,
    gather,
    redis_settings,
    referenced_secrets,
)
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.settings import Settings
from tests.cluster.objects import policy, provider
from tests.operator.handlers.bodies import Body, budget, meta


class Secrets:
    """Answers with one Secret, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: set[SecretId] = set()

    async def read(self, ids: Iterable[SecretId]) -> Mapping[SecretId, SecretData]:
        self.asked |= {*ids}
        return {("shop", "keys"): SecretData({"api-key": b"hush"})}


def stored(document: Body) -> Body:
    document["metadata"] |= {"uid": "u", "generation": 1, "resourceVersion": "1"}
    return document


async def test_only_referenced_secrets_are_asked_for() -> None:
    inventory, secrets = Inventory(), Secrets()
    inventory.note_object(stored(provider("shop")))
    snapshot = await gather(inventory, secrets, Settings(cluster="test"), None)
    assert secrets.asked == {("shop", "keys")}
    assert snapshot.secrets.keys() == {("shop", "keys")}
    assert [each.id for each in snapshot.providers] == ["shop/llm"]
    assert snapshot.cluster == "test"


async def test_a_snapshot_says_when_it_was_taken() -> None:
    before = datetime.now(UTC)
    snapshot = await gather(Inventory(), Secrets(), Settings(), None)
    assert snapshot.taken_at
    assert before <= snapshot.taken_at <= datetime.now(UTC)


async def test_a_namespace_with_a_policy_gets_a_scope_key_once() -> None:
    inventory, settings = Inventory(), Settings()
    inventory.note_object(stored(policy("shop")))
    first = await gather(inventory, Secrets(), settings, None)
    second = await gather(inventory, Secrets(), settings, None)
    assert first.scope_keys == second.scope_keys
    assert len(first.scope_keys["shop"]) == 64


async def test_a_scope_key_that_is_there_is_kept() -> None:
    inventory = Inventory(scope_keys={"shop": "known"})
    inventory.note_object(stored(policy("shop")))
    assert (await gather(inventory, Secrets(), Settings(), None)).scope_keys == {"shop": "known"}


async def test_namespaces_have_the_label_that_old_servers_do_not_set() -> None:
    inventory = Inventory()
    inventory.note_namespace(meta("Namespace", "shop", labels={"team": "a"}))
    inventory.note_object(stored(policy("unseen")))
    snapshot = await gather(inventory, Secrets(), Settings(), None)
    assert snapshot.namespaces == {"shop": {"kubernetes.io/metadata.name": "shop", "team": "a"}}


async def test_what_never_parsed_is_handed_on_as_a_problem() -> None:
    inventory = Inventory()
    inventory.note_object(budget(limits={"daily": "much"}))
    snapshot = await gather(inventory, Secrets(), Settings(), None)
    assert [problem.reason for problem in snapshot.unparsable] == ["InvalidSpec"]
    assert snapshot.budgets == ()


async def test_what_never_parsed_takes_part_with_what_is_clear_in_it() -> None:
    inventory = Inventory()
    inventory.note_object(budget(colour="red"))
    snapshot = await gather(inventory, Secrets(), Settings(), None)
    assert [problem.reason for problem in snapshot.unparsable] == ["InvalidSpec"]
    assert [each.id for each in snapshot.budgets] == ["shop/money"]


async def test_what_parsed_before_is_in_force_and_no_problem_of_others() -> None:
    inventory = Inventory()
    inventory.note_object(budget())
    inventory.note_object(budget(generation=2, limits={"daily": "much"}))
    snapshot = await gather(inventory, Secrets(), Settings(), None)
    assert snapshot.unparsable == ()
    assert len(snapshot.budgets) == 1


def test_secrets_are_found_wherever_a_provider_names_them() -> None:
    document = provider("shop", tls={"caSecretRef": {"name": "ca", "key": "ca.crt"}})
    found = referenced_secrets(LLMProvider.model_validate(document))
    assert found == {("shop", "keys"), ("shop", "ca")}


def test_the_redis_ca_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("PEM")
    settings = Settings(redis_url="rediss://redis", redis_ca_file=tmp_path / "ca.pem")
    assert redis_settings(settings) == RedisSettings("rediss://redis", ca_pem="PEM")
    assert redis_settings(Settings()) is None


def test_the_embedder_s_ca_is_read_out_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("PEM")
    settings = Settings(
        embedder_url="https://e", embedder_secret="hush", embedder_ca_file=tmp_path / "ca.pem"
    )
    assert embedder_settings(settings) == EmbedderSettings("https://e", "hush", "PEM")
    assert embedder_settings(Settings()) is None


async def test_a_snapshot_knows_the_embedder() -> None:
    embedder = EmbedderSettings("http://e", "hush")
    snapshot = await gather(Inventory(), Secrets(), Settings(), None, embedder)
    assert snapshot.embedder == embedder
