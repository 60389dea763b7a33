"""A Redis URL into a client: one server, a Sentinel's master, or a Cluster.

    redis://host:port/0   rediss://host:port/0   unix:///path?db=0
    redis+sentinel://host:port,host:port/<master>/0   redis+cluster://host:port,host:port

`rediss+sentinel` and `rediss+cluster` are the same with TLS, as sidecars read them
(`penstock_config.credentials.RedisAccess`).
"""

from typing import Any, Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import ConstantBackoff, NoBackoff

from penstock_embedder.errors import StartError
from penstock_embedder.settings import Settings

Client = Redis | RedisCluster
Options = dict[str, Any]
REPLY_SECONDS: Final = 2.0
MOVES: Final = 3
"""How often a Cluster's call follows slots that move."""
SCHEMES: Final = ("redis", "rediss", "unix")
WAYS: Final = ("", "sentinel", "cluster")


def client_of(settings: Settings) -> Client:
    """Connects at its first call. A URL that cannot be read is a `StartError`."""
    url = urlsplit(settings.redis_url)
    scheme, _, way = url.scheme.partition("+")
    if scheme not in SCHEMES or way not in WAYS or "@" in url.netloc:
        msg = (
            "PENSTOCK_EMBEDDER_REDIS_URL: expected redis://, rediss:// or unix://, with +sentinel "
            "or +cluster after the scheme, and user and password in variables of their own"
        )
        raise StartError(msg)
    login = _login(settings.redis_username, settings.redis_password)
    try:
        return _client(settings, url, way, login)
    except ValueError:
        msg = "PENSTOCK_EMBEDDER_REDIS_URL: its hosts, its ports or its database cannot be read"
        raise StartError(msg) from None


def _client(settings: Settings, url: SplitResult, way: str, login: Options) -> Client:
    options = _options(settings, tls=url.scheme.startswith("rediss"))
    if way == "sentinel":
        name, password = settings.redis_sentinel_username, settings.redis_sentinel_password
        return _sentinel(url, options | _login(name, password), options | login)
    if way == "cluster":
        nodes = [ClusterNode(host, port) for host, port in _hosts(url, 6379)]
        patient = {"retry": Retry(ConstantBackoff(0.05), MOVES)}
        return RedisCluster(startup_nodes=nodes, **(options | login | patient))
    if url.scheme == "unix":
        database = parse_qs(url.query).get("db", ["0"])[0]
        return Redis(unix_socket_path=unquote(url.path), db=int(database), **options, **login)
    ((host, port),) = _hosts(url, 6379)
    return Redis(host=host, port=port, db=int(url.path.strip("/") or 0), **options, **login)


def _options(settings: Settings, *, tls: bool) -> Options:
    """No retries: a caller waits. RESP 2, whose replies are the same on all servers."""
    options: Options = {
        "protocol": 2,
        "socket_timeout": REPLY_SECONDS,
        "socket_connect_timeout": REPLY_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    if tls:
        ca_file = settings.redis_ca_file
        options |= {"ssl": True, "ssl_ca_certs": None if ca_file is None else str(ca_file)}
    return options


def _login(name: str | None, password: str | None) -> Options:
    return {"username": name, "password": password}


def _hosts(url: SplitResult, port: int) -> list[tuple[str, int]]:
    """Every `host:port` of the URL's list, `[v6]:port` too; `ValueError` where one is wrong."""
    parts = [urlsplit(f"//{text}") for text in url.netloc.split(",")]
    found = [(part.hostname or "", part.port or port) for part in parts]
    if not all(host for host, _ in found):
        raise ValueError
    return found


def _sentinel(url: SplitResult, asked: Options, options: Options) -> Client:
    """`asked` are the Sentinels, `options` lead to the master that they name."""
    master, _, database = url.path.strip("/").partition("/")
    if not master:
        raise ValueError
    sentinels = Sentinel(  # type: ignore[no-untyped-call]  # redis-py's
        _hosts(url, 26379), sentinel_kwargs=asked, db=int(database or 0), **options
    )
    found: Redis = sentinels.master_for(master)
    return found
