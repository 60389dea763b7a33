"""Probes of providers: when each is asked, and what Redis is told of the answers."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from penstock_config.breaker import PROVIDER, Standing, Word, fields_of
from penstock_operator.api.connection import Health as HealthSpec
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.handlers.prober import Prober
from penstock_operator.health.in_force import Given, InForce, Reached, in_force
from penstock_operator.health.judging import Probed
from penstock_operator.ledger.breakers import read_standings, tell
from penstock_operator.ledger.store import LedgerAway, Store
from penstock_operator.metrics import Metrics
from penstock_operator.settings import Settings

TICK_SECONDS: Final = 1.0
"""At most, between two looks at who is to be probed."""
TELLER: Final = "operator"
MS: Final = 1000
USUAL: Final = HealthSpec()
"""Of a provider that went since it was compiled."""
logger = logging.getLogger(__name__)


class Probing:
    """`given` is what sidecars have: nobody else is probed."""

    def __init__(
        self,
        inventory: Inventory,
        settings: Settings,
        metrics: Metrics,
        given: Callable[[], Mapping[str, Given]],
    ) -> None:
        self.prober = Prober(enabled=settings.probe_providers, loopback=settings.probe_loopback)
        self._inventory = inventory
        self._settings = settings
        self._metrics = metrics
        self._given = given

    async def run(self, store: Store | None) -> None:
        """Never ends. A probe that takes long keeps no other waiting."""
        async with asyncio.TaskGroup() as group:
            while True:
                now = in_force(self._given())
                for id_ in self.prober.due(now.providers, self._intervals(now)):
                    group.create_task(self._probe(store, now.providers[id_]))
                await asyncio.sleep(min(TICK_SECONDS, self._settings.budget_seconds))

    async def _probe(self, store: Store | None, reached: Reached) -> None:
        provider = reached.provider
        try:
            probed = await self.prober.probe(reached)
            self._metrics.probes.labels(provider.id, probed.result).inc()
            if store is not None:
                await self._share(store, reached, probed)
        except LedgerAway:
            pass  # the reading says so
        except Exception:  # heard of by the log; one bad probe must not end all later ones
            logger.exception("probe.failed", extra={"provider": provider.id})

    async def _share(self, store: Store, reached: Reached, probed: Probed) -> None:
        provider = reached.provider
        terms = (provider.health.failure_threshold, round(provider.health.cooldown_seconds * MS))
        found = await read_standings(store, self._settings.cluster, [provider.id])
        standing = found.get(provider.id, Standing(now=0)).only(fields_of_provider(reached))
        words = [_word(terms, probed, standing)]
        if probed.result == "ok":
            words += _half_open(terms, standing)
        await tell(store, self._settings.cluster, provider.id, TELLER, words)

    def _intervals(self, now: InForce) -> Mapping[str, int]:
        seen = self._inventory.objects.values()
        found = {s.ref.id: s.resource.spec for s in seen if isinstance(s.resource, LLMProvider)}
        healths = {id_: found[id_].health if id_ in found else USUAL for id_ in now.providers}
        return {id_: health.interval_seconds for id_, health in healths.items()}


def fields_of_provider(reached: Reached) -> frozenset[str]:
    """All that may be known of it."""
    return fields_of(model.name for model in reached.provider.models)


def _word(terms: tuple[int, int], probed: Probed, standing: Standing) -> Word:
    """Where the provider is out, it stays so with each probe that fails."""
    threshold, cooldown = terms
    word = Word(field=PROVIDER, threshold=threshold, cooldown=cooldown)
    if probed.result == "failed":
        record = standing.records.get(PROVIDER)
        out = record is not None and record.until_ms is not None
        failed = {"failed_ages": (0,), "reason": "provider_unavailable"}
        return word.model_copy(update=failed | ({"open": cooldown} if out else {}))
    return word.model_copy(update={"succeeded_age": 0, "began_age": 0})


def _half_open(terms: tuple[int, int], standing: Standing) -> Iterator[Word]:
    """What has cooled down and nobody tries: a good probe closes it, for one more failure."""
    for field, record in standing.records.items():
        if field != PROVIDER and record.until_ms is not None:
            yield Word(field=field, threshold=terms[0], cooldown=terms[1], probed=True)
