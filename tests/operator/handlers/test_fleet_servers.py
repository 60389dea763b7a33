"""What servers of some versions have no field for is not written again and again."""

from pathlib import Path
from typing import Any

import pytest

from tests.operator.handlers.test_fleet import World
from tests.operator.handlers.waiting import until


def _fields(document: Any) -> set[str]:
    match document:
        case dict():
            return {*document}.union(*map(_fields, document.values()))
        case list():
            return set[str]().union(*map(_fields, document))
        case _:
            return set()


@pytest.mark.parametrize(("minor", "has_grace"), [("24+", False), ("25", True)])
async def test_a_probe_s_grace_is_said_where_it_is_kept(
    redis_url: str, tmp_path: Path, minor: str, *, has_grace: bool
) -> None:
    world = World(redis_url)
    world.api.minor = minor
    world.api.add_node("a")
    world.note()
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Placed"))
    (name,) = world.api.names("deployments")
    containers = world.api.objects["deployments", name]["spec"]["template"]["spec"]["containers"]
    assert ("terminationGracePeriodSeconds" in _fields(containers)) == has_grace
