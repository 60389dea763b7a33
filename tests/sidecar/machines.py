"""State machines run against a Redis, as they are and with scripts changed on purpose."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def check(
    machine: type[RuleBasedStateMachine],
    url: str,
    examples: int,
    mutate: tuple[str, str] | None = None,
    *,
    steps: int = 40,
) -> None:
    """Mutants are always shown the same examples."""
    with redis.Redis.from_url(url) as client, _whatever_is_imported():
        told: dict[str, Any] = {"client": client, "mutate": mutate}
        run_state_machine_as_test(
            type("Machine", (machine,), told),
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                derandomize=mutate is not None,
                phases=[Phase.generate],  # shrinking against a server takes minutes
                report_multiple_bugs=False,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


@contextmanager
def _whatever_is_imported() -> Iterator[None]:
    """Hypothesis draws constants of the modules that it finds, and so other examples with each
    selection of tests."""
    with mock.patch.object(providers, "_get_local_constants", Constants):
        providers.CONSTANTS_CACHE.cache.clear()
        yield
    providers.CONSTANTS_CACHE.cache.clear()
