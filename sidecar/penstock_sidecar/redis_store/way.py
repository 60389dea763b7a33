"""How a node is reached: the seam between keeping a connection and knowing where it leads."""

from typing import Protocol

from penstock_sidecar.redis_store.address import Address, Login, dial
from penstock_sidecar.redis_store.connection import Connection


class Way(Protocol):
    """Where a node is may change; what a connection is used for does not."""

    async def dial(self) -> Connection:
        """Raises `OSError` or `hiredis.HiredisError`."""

    async def watch(self, connection: Connection) -> None:
        """Returns when the connection has ended; ends it where it leads to the wrong server."""

    def close(self) -> None: ...


class Direct:
    """One server that stays where it is."""

    def __init__(self, address: Address, login: Login) -> None:
        self._address = address
        self._login = login

    def __str__(self) -> str:
        return str(self._address)

    async def dial(self) -> Connection:
        return await dial(self._address, self._login)

    async def watch(self, connection: Connection) -> None:
        await connection.lost.wait()

    def close(self) -> None:
        """It holds nothing."""
