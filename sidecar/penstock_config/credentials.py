"""The secret half of the contract: provider keys and the way to Redis.

Every secret is a `SecretStr`, which prints as asterisks.
"""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import SecretStr

from penstock_config.base import ConfigModel, ObjectId
from penstock_config.embedder import EmbedderAccess

CREDENTIALS_VERSION: Final = 2
"""Version 1 had no `client_secrets`, `proxy_logins`, `authorities` and `embedder`: see `older`."""


class RedisAccess(ConfigModel):
    """`url`, without user and password, says which kind of Redis it is (`rediss` is TLS):

        redis://host:port/<database>, unix:///path?db=<database>
        redis+sentinel://host:port,host:port/<name of the master>/<database>
        redis+cluster://host:port,host:port

    Sentinels that ask for a login get their own, or Redis's where none is given for them.
    """

    url: str
    username: str | None = None
    password: SecretStr | None = None
    sentinel_username: str | None = None
    sentinel_password: SecretStr | None = None
    ca_pem: str | None = None


class Credentials(ConfigModel):
    """What the namespace's policies can reach, and nothing more."""

    schema_version: Literal[2] = CREDENTIALS_VERSION
    provider_keys: Mapping[ObjectId, tuple[SecretStr, ...]] = {}
    client_secrets: Mapping[ObjectId, SecretStr] = {}
    """Of the applications that ask Microsoft Entra ID for tokens, by provider. Since version 2."""
    proxy_logins: Mapping[ObjectId, SecretStr] = {}
    """`<user>:<password>` for each provider's proxy. Since version 2."""
    authorities: Mapping[ObjectId, str] = {}
    """Certificates (PEM) by which those providers are checked that have `private_ca`. No secret,
    but they come out of Secrets, and what lies beside them there must not be published. Since
    version 2."""
    redis: RedisAccess | None = None
    """`None` is no Redis: every policy then goes by its `on_redis_loss`."""
    embedder: EmbedderAccess | None = None
    """`None` is no embedder: no answer is found by its meaning. Since version 2."""
    scope_key: SecretStr
    """Keys the hashes that stand for users and cached requests in Redis; one per namespace."""
