"""Which Redis login each namespace's sidecars get: one for all, or a user of its own each.

compile ──► settle: the user is there, or is made ──► publish the Secret that names it
              └─ it cannot be made: what is published about Redis stays as it is
each minute, by itself: all users again, on every server, for those that lost or never had them
"""

import asyncio
import logging
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final, Protocol

from penstock_config.acl import cache_tag
from penstock_config.credentials import Credentials
from penstock_config.layout import Group
from penstock_config.schema import SidecarConfig
from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.compile.snapshot import RedisLogin
from penstock_operator.handlers.compilation import Outcome
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.ledger.store import LedgerAway
from penstock_operator.ledger.users import Result, User, Users, user_name
from penstock_operator.metrics import Metrics
from penstock_operator.settings import Settings

ROUND_SECONDS: Final = 60.0
RETRY_SECONDS: Final = 5.0
PUT_SECONDS: Final = 10.0
"""For all users on all servers."""
PASSWORD_BYTES: Final = 32
PASSWORD: Final = re.compile(r"[A-Za-z0-9_-]{43}")
"""As `secrets.token_urlsafe` makes them: whoever may write the Secret may have written anything."""
SHARED: Final = "all namespaces share a Redis login, so that each reads and writes the others' keys"
DO: Final = "set PENSTOCK_REDIS_MANAGE_USERS=true, or keep to one namespace: docs/redis-users.md"
logger = logging.getLogger(__name__)


class RedisLogins(Protocol):
    """Logins before a compilation, and what becomes of them after it."""

    def of(self, namespaces: Iterable[str]) -> Mapping[str, RedisLogin] | None: ...

    async def settle(self, outcome: Outcome) -> Outcome: ...

    async def run(self) -> None: ...


def redis_logins(
    settings: Settings,
    inventory: Inventory,
    metrics: Metrics,
    may_write: Callable[[], bool],
    on_change: Callable[[], None],
) -> RedisLogins:
    """As the settings have it. `on_change` is called when something can be published now."""
    if not settings.redis_manage_users:
        return SharedLogin(metrics)
    word = settings.embedder_redis_password
    others = [] if word is None else [User.of_embedder(settings.cluster, word)]
    return OwnLogins(
        settings.cluster, Users(settings), inventory, metrics, may_write, on_change, others=others
    )


class SharedLogin:
    """Everybody gets what the settings say, which is said once."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._said = False

    def of(self, _namespaces: Iterable[str]) -> None:
        return None

    async def settle(self, outcome: Outcome) -> Outcome:
        sharing = sum(each.redis is not None for each in outcome.credentials.values())
        self._metrics.shared_redis_logins.set(sharing)
        if sharing and not self._said:
            self._said = True
            logger.warning("redis.shared_credentials", extra={"what": SHARED, "do": DO})
        return outcome

    async def run(self) -> None:
        """There is nothing to look after."""


class OwnLogins:
    """A user for each namespace that has a policy, and `others`."""

    def __init__(  # noqa: PLR0913  # each is another thing from outside
        self,
        cluster: str,
        users: Users,
        inventory: Inventory,
        metrics: Metrics,
        may_write: Callable[[], bool],
        on_change: Callable[[], None],
        *,
        others: Iterable[User] = (),
        round_seconds: float = ROUND_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._users = users
        self._inventory = inventory
        self._metrics = metrics
        self._may_write = may_write
        self._on_change = on_change
        self._round_seconds = round_seconds
        self._others = {user.name: user for user in others}
        """Those of no namespace."""
        self._wanted: dict[str, User] | None = None
        """By name; `None` until something was compiled."""
        self._there: dict[str, User] = {}
        """As servers took them last."""
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._fault: str | None = None
        self._away = False

    def of(self, namespaces: Iterable[str]) -> Mapping[str, RedisLogin]:
        """The published password, else a new one."""
        return {name: self._login(name) for name in namespaces}

    def _login(self, namespace: str) -> RedisLogin:
        name, published = user_name(self._cluster, namespace), self._inventory.redis_access
        access = published.get(namespace)
        if access and access.username == name and access.password:
            password = access.password.get_secret_value()
            if PASSWORD.fullmatch(password):
                return RedisLogin(name, password)
        made = self._inventory.redis_passwords
        made.setdefault(namespace, secrets.token_urlsafe(PASSWORD_BYTES))
        return RedisLogin(name, made[namespace])

    async def settle(self, outcome: Outcome) -> Outcome:
        """The outcome, with the logins alone that Redis knows."""
        former, self._wanted = self._wanted or {}, self._want(outcome)
        new = [user for name, user in self._wanted.items() if self._there.get(name) != user]
        if new and not self._away:
            await self._put(new)
        if self._fault or former.keys() - self._wanted.keys():
            self._wake.set()
        settled = {name: self._settled(name, each) for name, each in outcome.credentials.items()}
        sharing = sum(not self._is_own(name, each) for name, each in settled.items())
        self._metrics.shared_redis_logins.set(sharing)
        return replace(outcome, credentials=settled)

    async def run(self) -> None:
        """Never ends."""
        while True:
            behind = self._fault is not None
            pause = min(RETRY_SECONDS, self._round_seconds) if behind else self._round_seconds
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self._round()
            except Exception:  # heard of by log and metric; one bad round must not end all others
                logger.exception("redis_users.failed")
                self._metrics.redis_user_rounds.labels("failed").inc()

    async def _round(self) -> None:
        """All users; those of namespaces without a policy go."""
        if self._wanted is None:
            return
        before = {name: user.login for name, user in self._there.items()}
        await self._put([*self._wanted.values()], remove=True)
        if before != {name: user.login for name, user in self._there.items()}:
            self._on_change()

    async def _put(self, users: list[User], *, remove: bool = False) -> None:
        async with self._lock:
            if not self._may_write():
                return
            try:
                async with asyncio.timeout(PUT_SECONDS):
                    result = await self._users.put(users, self._kept() if remove else None)
            except (LedgerAway, TimeoutError) as error:
                self._away = True
                self._say(str(error) or f"not done in {PUT_SECONDS} s", "failed")
                return
            self._note(users, result)

    def _note(self, users: list[User], result: Result) -> None:
        self._away = bool(users) and not result.taken
        self._there |= {user.name: user for user in users if user.name in result.taken}
        kept = self._kept()
        self._there = {name: user for name, user in self._there.items() if name in kept}
        self._say("; ".join(result.faults) or None, "partial" if result.faults else "ok")

    def _say(self, fault: str | None, result: str) -> None:
        """The first fault after good times, and the end of bad ones."""
        self._metrics.redis_user_rounds.labels(result).inc()
        if fault and not self._fault:
            logger.warning("redis_users.not_set", extra={"error": fault})
        elif self._fault and not fault:
            logger.info("redis_users.set")
        self._fault = fault

    def _want(self, outcome: Outcome) -> dict[str, User]:
        """Namespaces whose configuration was held back keep the user that they had."""
        found = {}
        for namespace, config in outcome.configs.items():
            made = outcome.credentials.get(namespace)
            access = made.redis if made else None
            if access and access.username and access.password:
                word = access.password.get_secret_value()
                user = User.of_namespace(self._cluster, namespace, word, tags_of(config))
                found[user.name] = user
        kept = self._kept()
        former = self._wanted or {}
        kept_users = {name: user for name, user in former.items() if name in kept}
        return kept_users | found | self._others

    def _kept(self) -> frozenset[str]:
        """Users of every namespace that has a policy, whatever is wrong with it; and others'."""
        policies = (ref for ref in self._inventory.objects if ref.kind == RoutePolicy.kind)
        named = (user_name(self._cluster, ref.namespace) for ref in policies)
        return frozenset((*named, *self._others))

    def _settled(self, namespace: str, made: Credentials) -> Credentials:
        access = made.redis
        user = self._there.get(access.username or "") if access else None
        word = access.password.get_secret_value() if access and access.password else None
        if user is not None and user.password == word:
            return made
        return made.model_copy(update={"redis": self._inventory.redis_access.get(namespace)})

    def _is_own(self, namespace: str, made: Credentials) -> bool:
        return made.redis is None or made.redis.username == user_name(self._cluster, namespace)


def tags_of(config: SidecarConfig) -> frozenset[str]:
    """What the keys begin with that the namespace's sidecars touch."""
    cluster = config.cluster
    providers = (Group.of_provider(cluster, each.id).tag for each in config.providers)
    own = Group.of_namespace(cluster, config.namespace).tag
    return frozenset({own, cache_tag(cluster, config.namespace), *providers})
