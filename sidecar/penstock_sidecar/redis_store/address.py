"""Where Redis is, how to log in, and a connection made from that."""

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from penstock_config.codec import ConfigError
from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store.connection import Connection

DEFAULT_PORT = 6379


@dataclass(frozen=True, slots=True)
class Address:
    """`path` is a unix socket; without one it is TCP, with TLS where `tls` is set."""

    host: str
    port: int
    path: str | None
    database: int
    tls: ssl.SSLContext | None

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


def parse(access: RedisAccess) -> Address:
    """`redis://host:port/0`, `rediss://...`, `unix:///path?db=0`; else `ConfigError`."""
    try:
        return _parse(access)
    except ConfigError:
        raise
    except ValueError:
        raise ConfigError("redis.url: its port and its database must be numbers") from None


def _parse(access: RedisAccess) -> Address:
    url = urlsplit(access.url)
    if url.scheme == "unix":
        database = int(url.query.removeprefix("db=") or 0)
        return Address("", 0, unquote(url.path), database, None)
    if url.scheme not in {"redis", "rediss"} or not url.hostname:
        raise ConfigError("redis.url begins with redis://, rediss:// or unix://, then a host")
    tls = _tls(access) if url.scheme == "rediss" else None
    database = int(url.path.strip("/") or 0)
    return Address(url.hostname, url.port or DEFAULT_PORT, None, database, tls)


def _tls(access: RedisAccess) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=access.ca_pem)
    except (ssl.SSLError, ValueError):
        raise ConfigError("redis.ca_pem is no certificate in PEM form") from None


async def dial(address: Address, access: RedisAccess) -> Connection:
    """Connect, log in, choose the database and ping; raises `OSError` or a Redis error."""
    loop = asyncio.get_running_loop()
    if address.path:
        _, connection = await loop.create_unix_connection(Connection, address.path)
    else:
        _, connection = await loop.create_connection(
            Connection, address.host, address.port, ssl=address.tls
        )
    try:
        if access.password:
            user = (access.username,) if access.username else ()
            await connection.send("AUTH", *user, access.password.get_secret_value())
        if address.database:
            await connection.send("SELECT", address.database)
        await connection.send("PING")
    except BaseException:
        connection.abort()
        raise
    return connection
