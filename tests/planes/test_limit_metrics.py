"""What the limits say of themselves on /metrics."""

from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from tests.planes.plane import Plane, chat


async def test_a_shadow_limit_denies_nothing_and_is_counted(plane: Plane) -> None:
    one = RateLimits(requests_per_minute=1)
    shadow = CallerLimit(name="trial", per="App", limits=one, shadow=True)
    await plane.publish(plane.config(limits=(shadow,)))
    assert [(await plane.ask(chat())).status for _ in range(3)] == [200, 200, 200]
    metrics = (await plane.probe("/metrics")).body.decode()
    labels = 'enforced="false",limit="limit trial",what="requests"'
    assert f"penstock_limit_exceeded_total{{{labels}}} 2.0" in metrics
