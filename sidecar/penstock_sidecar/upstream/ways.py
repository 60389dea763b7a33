"""Ways to providers: HTTP clients by route, tokens by application. Each lives while some runtime
holds it, so that connections outlive a change of the configuration, and nothing else does."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Protocol, TypeVar

from aiohttp import ClientSession

from penstock_sidecar.clock import Clock
from penstock_sidecar.upstream.entra import Application, Directory, EntraToken, Token
from penstock_sidecar.upstream.session import Route, open_session

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Reach(Protocol):
    """What upstreams are built upon."""

    def session(self, route: Route) -> ClientSession:
        """Raises `BadAuthorities`."""

    def token(self, application: Application) -> Token: ...


class Ways:
    """Of the whole process."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self.sessions: Kept[Route, ClientSession] = Kept(open_session, ClientSession.close)
        self.tokens: Kept[Application, EntraToken] = Kept(self._token, self._forget)

    def hold(self) -> "Hold":
        return Hold(self)

    def _token(self, application: Application) -> EntraToken:
        session = self.sessions.take(application.route)
        token = EntraToken(application, self._directory, session, self._clock)
        token.start()
        return token

    async def _forget(self, token: EntraToken) -> None:
        await token.close()
        await self.sessions.give_back(token.application.route)


class Hold:
    """Of one runtime: a `Reach` that takes what is asked for, once."""

    def __init__(self, ways: Ways) -> None:
        self._ways = ways
        self._sessions: dict[Route, ClientSession] = {}
        self._tokens: dict[Application, EntraToken] = {}

    def session(self, route: Route) -> ClientSession:
        if route not in self._sessions:
            self._sessions[route] = self._ways.sessions.take(route)
        return self._sessions[route]

    def token(self, application: Application) -> EntraToken:
        if application not in self._tokens:
            self._tokens[application] = self._ways.tokens.take(application)
        return self._tokens[application]

    async def close(self) -> None:
        for application in self._tokens:
            await self._ways.tokens.give_back(application)
        for route in self._sessions:
            await self._ways.sessions.give_back(route)
        self._tokens, self._sessions = {}, {}


class Kept(Generic[K, T]):
    """Made for the first who takes it, closed when the last has given it back."""

    def __init__(self, make: Callable[[K], T], close: Callable[[T], Awaitable[None]]) -> None:
        self._make = make
        self._close = close
        self._kept: dict[K, tuple[T, int]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, key: K) -> T:
        found, holders = self._kept.get(key) or (self._make(key), 0)
        self._kept[key] = (found, holders + 1)
        return found

    async def give_back(self, key: K) -> None:
        found, holders = self._kept[key]
        if holders > 1:
            self._kept[key] = (found, holders - 1)
            return
        del self._kept[key]
        await self._close(found)
