"""A Redis URL into a client: one server, a Sentinel's master, or a Cluster.

    redis://host:port/0   rediss://host:port/0   unix:///path?db=0
    redis+sentinel://host:port,host:port/<master>/0   redis+cluster://host:port,host:port

`rediss+sentinel` and `rediss+cluster` are the same with TLS, as sidecars read them
(`penstock_config.credentials.RedisAccess`). Users and passwords come apart; Sentinels have one of
their own.
"""

from typing import Any, Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import ConstantBackoff, NoBackoff

from penstock_operator.environment import SettingsError
from penstock_operator.settings import Settings

Client = Redis | RedisCluster
REDIS_PORT: Final = 6379
SENTINEL_PORT: Final = 26379
REPLY_SECONDS: Final = 2.0
MOVES: Final = 3
"""How often a Cluster's call follows slots that move."""


def client_of(settings: Settings) -> Client:
    """A client that connects at its first call. Wrong URLs are a `SettingsError`."""
    if settings.redis_url is None:
        msg = "PENSTOCK_REDIS_URL is not set"
        raise SettingsError(msg)
    url = urlsplit(settings.redis_url)
    options = _options(settings, tls=url.scheme.startswith("rediss"))
    user = _user(settings.redis_username, settings.redis_password)
    try:
        match url.scheme.rpartition("+")[2]:
            case "sentinel":
                asked = _user(settings.redis_sentinel_username, settings.redis_sentinel_password)
                return _sentinel(url, options | asked, options | user)
            case "cluster":
                return _cluster(url, options | user)
            case "unix":
                return _unix(url, options | user)
            case _:
                return _server(url, options | user)
    except ValueError:
        msg = "PENSTOCK_REDIS_URL: its hosts, its ports, or its database cannot be read"
        raise SettingsError(msg) from None


def client_of_node(settings: Settings, host: str, port: int) -> Redis:
    """A client of one server among those that the URL leads to."""
    tls = settings.redis_url is not None and settings.redis_url.startswith("rediss")
    user = _user(settings.redis_username, settings.redis_password)
    return Redis(host=host, port=port, **(_options(settings, tls=tls) | user))


async def close(client: Client) -> None:
    """Also the connections to Sentinels, of which redis-py's client of a master knows nothing."""
    await client.aclose()
    pool = None if isinstance(client, RedisCluster) else client.connection_pool
    if isinstance(pool, SentinelConnectionPool):
        for each in pool.sentinel_manager.sentinels:
            await each.aclose()


def _options(settings: Settings, *, tls: bool) -> dict[str, Any]:
    """No retries: the next round comes soon. RESP 2, whose replies are the same on all servers."""
    options: dict[str, Any] = {
        "protocol": 2,
        "socket_timeout": REPLY_SECONDS,
        "socket_connect_timeout": REPLY_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    if tls:
        ca_file = settings.redis_ca_file
        options |= {"ssl": True, "ssl_ca_certs": None if ca_file is None else str(ca_file)}
    return options


def _user(name: str | None, password: str | None) -> dict[str, Any]:
    return {"username": name, "password": password}


def hosts_of(url: SplitResult, port: int) -> list[tuple[str, int]]:
    """Every `host:port` of the URL's list, `[v6]:port` too; `ValueError` where one is wrong."""
    found = []
    for text in url.netloc.split(","):
        one = urlsplit(f"//{text}")
        if not one.hostname:
            msg = "a host is missing"
            raise ValueError(msg)
        found.append((one.hostname, one.port or port))
    return found


def _server(url: SplitResult, options: dict[str, Any]) -> Client:
    ((host, port),) = hosts_of(url, REDIS_PORT)
    return Redis(host=host, port=port, db=int(url.path.strip("/") or 0), **options)


def _unix(url: SplitResult, options: dict[str, Any]) -> Client:
    database = parse_qs(url.query).get("db", ["0"])[0]
    return Redis(unix_socket_path=unquote(url.path), db=int(database), **options)


def _sentinel(url: SplitResult, asked: dict[str, Any], options: dict[str, Any]) -> Client:
    """`asked` are the Sentinels, `options` lead to the master that they name."""
    master, _, database = url.path.strip("/").partition("/")
    if not master:
        msg = "the master's name is missing"
        raise ValueError(msg)
    hosts = hosts_of(url, SENTINEL_PORT)
    sentinels = Sentinel(hosts, sentinel_kwargs=asked, db=int(database or 0), **options)  # type: ignore[no-untyped-call]  # redis-py's
    found: Redis = sentinels.master_for(master)
    return found


def _cluster(url: SplitResult, options: dict[str, Any]) -> Client:
    nodes = [ClusterNode(host, port) for host, port in hosts_of(url, REDIS_PORT)]
    patient = {"retry": Retry(ConstantBackoff(0.05), MOVES)}
    return RedisCluster(startup_nodes=nodes, **(options | patient))
