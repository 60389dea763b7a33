"""State machines run against a Redis, as they are and with scripts changed on purpose."""

from typing import Any

import redis
from hypothesis import HealthCheck, Phase, settings
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
    with redis.Redis.from_url(url) as client:
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
