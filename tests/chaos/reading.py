"""What Redis has in its books, read beside the sidecars."""

from dataclasses import dataclass
from typing import cast

import redis

from penstock_config.layout import RESERVED, SETTLED, UNSETTLED, Group
from tests.planes.plane import NAMESPACE

CLUSTER = "test"
TEAM = Group.of_namespace(CLUSTER, NAMESPACE)
CLOUD = Group.of_provider(CLUSTER, f"{NAMESPACE}/cloud")
BUDGET = f"{NAMESPACE}/money"

Client = redis.Redis | redis.RedisCluster


@dataclass(frozen=True, slots=True)
class Money:
    """Micro-dollars of all periods together."""

    settled: int = 0
    reserved: int = 0
    unsettled: int = 0


class Reading:
    """Of one server, or of a Cluster."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def money(self, group: Group = TEAM, budget: str = BUDGET, key: str = "") -> Money:
        """Of a budget in its group's state, or in a user's `key`."""
        sums = {SETTLED: 0, RESERVED: 0, UNSETTLED: 0}
        for field, value in self._hash(key or group.state).items():
            kind = field.rpartition(":")[2]
            if field.startswith(f"budget:{budget}:") and kind in sums:
                sums[kind] += int(value)
        return Money(sums[SETTLED], sums[RESERVED], sums[UNSETTLED])

    def users(self) -> dict[str, Money]:
        """By the key of each user who spent something."""
        keys = self._keys(TEAM.user("*"))
        return {key: self.money(key=key) for key in keys}

    def slots(self) -> int:
        """Leases in all groups, live or not."""
        return sum(int(str(self._client.zcard(key))) for key in self._keys("*:slots:*"))

    def in_window(self, field: str, group: Group = TEAM) -> int:
        """A counter's sum, of the group's state and of all its subjects."""
        hashes = [group.state, *self._keys(group.subject("*"))]
        return sum(int(self._hash(key).get(field, 0)) for key in hashes)

    def now_us(self) -> int:
        """Redis's clock."""
        seconds, micros = self._client.time()
        return int(seconds) * 1_000_000 + int(micros)

    def _hash(self, key: str) -> dict[str, str]:
        return cast("dict[str, str]", self._client.hgetall(key))

    def _keys(self, pattern: str) -> list[str]:
        return sorted(cast("set[str]", set(self._client.scan_iter(pattern, count=1000))))
