"""What is known of the node's GPUs, asked anew at each round; who asks never waits for good."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from penstock_agent.observer import Observation
from penstock_operator.ollama.gpus import NodeGpus

ANSWER_SECONDS: Final = 10
"""A reading takes milliseconds, the first one a second or two."""
RESTART_SECONDS: Final = 60
"""How long a library may be of another version than the driver: both change in an upgrade."""
SILENT: Final = "NVML does not answer: a GPU hangs; see `dmesg` on the node"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Times:
    """Clocks and bounds."""

    clock: Callable[[], float]
    """Seconds that only grow."""
    now: Callable[[], datetime]
    """Aware, UTC."""
    hang_seconds: float
    answer_seconds: float = ANSWER_SECONDS


class Watch:
    """The last reading, and how it stands with the next one."""

    def __init__(
        self, node: str, submit: Callable[[], asyncio.Future[Observation]], times: Times
    ) -> None:
        self._node = node
        self._submit = submit
        self._times = times
        self._pending: asyncio.Future[Observation] | None = None
        self._asked_at = 0.0
        self._read_at = times.clock()
        self._unfit_since: float | None = None
        self.known: NodeGpus | None = None
        """`None` before the first reading."""
        self.answers = False
        """Whether the last reading came in time, from a driver that works."""

    async def round(self) -> None:
        """Asks, unless the last question is still open."""
        if self._pending is None:
            self._pending = self._submit()
            self._asked_at = self._times.clock()
        await asyncio.wait({self._pending}, timeout=self._times.answer_seconds)
        if not self._pending.done():
            self._note_silence()
            return
        pending, self._pending = self._pending, None
        self._note(pending.result())

    def dead(self) -> str | None:
        """Why only a restart of the container helps; `None` when it is not so."""
        now = self._times.clock()
        if self._pending is not None and now - self._asked_at > self._times.hang_seconds:
            return f"NVML has not answered for {now - self._asked_at:.0f} s"
        if self._unfit_since is not None and now - self._unfit_since > RESTART_SECONDS:
            return "the library is of another version than the driver"
        return None

    def age_seconds(self) -> float:
        """Since the last reading; before the first one, since the start."""
        return self._times.clock() - self._read_at

    def _note(self, found: Observation) -> None:
        self._read_at = self._times.clock()
        self.answers = found.driver is not None
        if not found.must_restart:
            self._unfit_since = None
        elif self._unfit_since is None:
            self._unfit_since = self._read_at
        self._know(
            NodeGpus(
                node=self._node,
                observed_at=self._times.now(),
                driver=found.driver,
                message=found.message,
                gpus=found.gpus,
            )
        )

    def _note_silence(self) -> None:
        """What was read stays, with the moment when it was: it ages until nobody believes it."""
        self.answers = False
        if self.known is not None:
            self._know(self.known.model_copy(update={"message": SILENT}))
        else:
            self._know(NodeGpus(node=self._node, observed_at=self._times.now(), message=SILENT))

    def _know(self, found: NodeGpus) -> None:
        before, self.known = self.known, found
        if before is not None and (before.message, before.driver) == (found.message, found.driver):
            return
        fields = {"driver": found.driver, "gpus": len(found.gpus), "said": found.message}
        if found.message:
            logger.warning("gpus.incomplete", extra=fields)
        else:
            logger.info("gpus.read", extra=fields)


async def watch_for_good(
    watch: Watch, period_seconds: float, after: Callable[[NodeGpus], None]
) -> None:
    """Rounds until cancelled; `after` is told what each left."""
    while True:
        await watch.round()
        if watch.known is not None:
            after(watch.known)
        await asyncio.sleep(period_seconds)
