"""What the operator queues is what sidecars ask: from a ConfigMap's text to a caller's hit."""

import json
from datetime import UTC, datetime

from penstock_config.cache import Cache, ExactCache, Warming
from penstock_operator.ledger.store import opened
from penstock_operator.ledger.warming import enqueue
from penstock_operator.settings import Settings
from penstock_operator.warming.prompts import read_prompts
from tests.planes.plane import NAMESPACE, Plane, chat
from tests.sidecar.redis_store.conftest import until_it

WARM = Cache(exact=ExactCache(ttl_seconds=600), warm=Warming(prompts=True))
BARE = {"model": "auto", "messages": [{"role": "user", "content": "When do you open?"}]}
WHOLE = chat("Where are you?")
TEXT = f"When do you open?\n\n{json.dumps(WHOLE)}\n"


async def test_callers_find_what_a_configmap_asked_for(plane: Plane) -> None:
    settings, due = Settings(cluster="test", redis_url=plane.redis_url), datetime.now(UTC)
    prompts = read_prompts(TEXT)
    async with opened(settings) as store:
        for _ in range(2):  # two leaders
            await enqueue(store, "test", f"{NAMESPACE}/shop", due, prompts.entries)
    await plane.publish(plane.config(cache=WARM))

    async def both_were_asked() -> bool:
        return len(plane.main.requests) == len(prompts.entries)

    await until_it(both_were_asked)
    for body in (BARE, WHOLE):
        hit = await plane.ask(body)
        assert hit.headers["x-penstock-cache"] == "hit-exact", body
    assert await both_were_asked()
