"""Which way to Redis a namespace is told."""

from dataclasses import replace

from pydantic import SecretStr

from penstock_config.credentials import RedisAccess
from penstock_operator.compile.credentials import credentials_of
from penstock_operator.compile.snapshot import RedisLogin, RedisSettings, Snapshot


def test_a_namespace_gets_its_own_redis_login_where_each_has_one() -> None:
    everything = RedisSettings(url="redis://r", username="operator", password="all", ca_pem="ca")
    own = {"shop": RedisLogin("penstock.c.shop", "hush")}
    shared = Snapshot(cluster="c", redis=everything, scope_keys={"shop": "s", "lab": "l"})
    each = replace(shared, redis_logins=own)

    def access(namespace: str, snapshot: Snapshot) -> RedisAccess | None:
        made = credentials_of(namespace, snapshot, {})
        assert made
        return made.redis

    found = access("shop", each)
    assert found == RedisAccess(
        url="redis://r", username="penstock.c.shop", password=SecretStr("hush"), ca_pem="ca"
    )
    assert access("lab", each) is None, "never the operator's own"
    assert access("lab", shared) == access("shop", shared)
