"""Where Redis is, how to log in, and a connection made from that."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import SecretStr

from penstock_config.codec import ConfigError
from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store.connection import Connection
from penstock_sidecar.trust import BadAuthorities, client_context

Kind = Literal["single", "sentinel", "cluster"]

KINDS: Final[dict[str, Kind]] = {
    "unix": "single",
    "redis": "single",
    "rediss": "single",
    "redis+sentinel": "sentinel",
    "rediss+sentinel": "sentinel",
    "redis+cluster": "cluster",
    "rediss+cluster": "cluster",
}
DEFAULT_PORTS: Final[dict[Kind, int]] = {"single": 6379, "sentinel": 26379, "cluster": 6379}


@dataclass(frozen=True, slots=True)
class Address:
    """`path` is a unix socket; without one it is TCP, with TLS where `tls` is set."""

    host: str
    port: int
    path: str | None = None
    database: int = 0
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Login:
    """Without a password nobody logs in; without a user it is the default one."""

    username: str | None = None
    password: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What a URL says: one server; the sentinels of `master`; or some nodes of a Cluster."""

    kind: Kind
    addresses: tuple[Address, ...]
    master: str = ""
    database: int = 0
    """Of the master that sentinels name."""


def parse(access: RedisAccess) -> Target:
    """Reads `RedisAccess.url`; `ConfigError` for what is none."""
    try:
        return _parse(access, urlsplit(access.url))
    except ConfigError:
        raise
    except ValueError:
        raise ConfigError("redis.url: its port and its database must be numbers") from None


def _parse(access: RedisAccess, url: SplitResult) -> Target:
    if url.scheme == "unix":
        database = int(url.query.removeprefix("db=") or 0)
        return Target("single", (Address("", 0, unquote(url.path), database),))
    kind = KINDS.get(url.scheme)
    if kind is None or not url.netloc:
        raise ConfigError(
            "redis.url begins with redis://, rediss:// or unix:// (or redis+sentinel://,"
            " redis+cluster://, with rediss for TLS), then a host"
        )
    tls = _tls(access) if url.scheme.startswith("rediss") else None
    match kind:
        case "single":
            return Target(kind, _addresses(url, kind, tls, int(url.path.strip("/") or 0)))
        case "sentinel":
            name, _, number = url.path.strip("/").partition("/")
            if not name:
                raise ConfigError("redis.url: after the sentinels comes / and the master's name")
            return Target(kind, _addresses(url, kind, tls), unquote(name), int(number or 0))
        case "cluster":
            if url.path.strip("/"):
                raise ConfigError("redis.url: a Cluster has one database, so nothing follows /")
            return Target(kind, _addresses(url, kind, tls))


def _addresses(
    url: SplitResult, kind: Kind, tls: ssl.SSLContext | None, database: int = 0
) -> tuple[Address, ...]:
    places = [urlsplit(f"//{place}") for place in url.netloc.split(",")]
    if kind == "single" and len(places) > 1:
        raise ConfigError("redis.url: one host, or redis+sentinel:// or redis+cluster:// before")
    if not all(place.hostname for place in places):
        raise ConfigError("redis.url: a host is missing")
    return tuple(
        Address(place.hostname or "", place.port or DEFAULT_PORTS[kind], None, database, tls)
        for place in places
    )


def _tls(access: RedisAccess) -> ssl.SSLContext:
    try:
        return client_context(access.ca_pem)
    except BadAuthorities:
        raise ConfigError("redis.ca_pem is no certificate in PEM form") from None


async def dial(address: Address, login: Login) -> Connection:
    """Connect, log in, choose the database and ping; raises `OSError` or a Redis error."""
    loop = asyncio.get_running_loop()
    if address.path:
        _, connection = await loop.create_unix_connection(Connection, address.path)
    else:
        _, connection = await loop.create_connection(
            Connection, address.host, address.port, ssl=address.tls
        )
    try:
        if login.password:
            user = (login.username,) if login.username else ()
            await connection.send("AUTH", *user, login.password.get_secret_value())
        if address.database:
            await connection.send("SELECT", address.database)
        await connection.send("PING")
    except BaseException:
        connection.abort()
        raise
    return connection
