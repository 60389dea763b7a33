"""Reads what the limiter wrote."""

from typing import cast

import redis

from penstock_config.layout import Group

NAMESPACE = Group.of_namespace("test", "shop")
PROVIDER = Group.of_provider("test", "shop/cloud")


class Books:
    """A client of its own, beside the limiter's."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)

    def money(self, group: Group = NAMESPACE, budget: str = "shop/team") -> dict[str, int]:
        """Settled, reserved, unsettled of the budget's only period, in micro-dollars."""
        found = {"S": 0, "R": 0, "U": 0}
        for field, value in self.state(group).items():
            part = field.rpartition(":")[2]
            if field.startswith(f"budget:{budget}:") and part in found:
                found[part] += int(value)
        return found

    def state(self, group: Group) -> dict[str, str]:
        fields = cast("dict[bytes, bytes]", self.client.hgetall(group.keys[0]))
        return {field.decode(): value.decode() for field, value in fields.items()}

    def count(self, field: str, group: Group = PROVIDER) -> int:
        """A counter of a provider's, such as `rpm60`."""
        return int(self.state(group).get(field, 0))

    def subject_counts(self, field: str) -> list[int]:
        """The same counter of every app, pod, user or header value, where it is there."""
        keys = cast("list[bytes]", self.client.keys(NAMESPACE.subject("*")))
        values = (self.client.hget(key.decode(), field) for key in keys)
        return [int(cast("bytes", value)) for value in values if value is not None]

    def slots(self) -> int:
        """Leases in all groups, live or not."""
        keys = cast("list[bytes]", self.client.keys("*:slots:*"))
        return sum(int(str(self.client.zcard(key.decode()))) for key in keys)

    def slot_ends_us(self) -> list[float]:
        """When each lease of the only concurrency limit ends, by Redis's clock."""
        (key,) = cast("list[bytes]", self.client.keys("*:slots:*"))
        leases = self.client.zrange(key.decode(), 0, -1, withscores=True)
        return [end for _, end in cast("list[tuple[bytes, float]]", leases)]

    def now_us(self) -> int:
        """Redis's clock."""
        seconds, micros = self.client.time()
        return seconds * 1_000_000 + micros

    def dump(self) -> dict[bytes, object]:
        """Every key with its serialised value."""
        keys = cast("list[bytes]", self.client.keys("*"))
        return {key: self.client.dump(key) for key in keys}
