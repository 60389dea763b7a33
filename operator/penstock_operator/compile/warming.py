"""What keeps prompts to warm from being asked, or their answers from being kept."""

from collections.abc import Iterator
from typing import Final

from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.compile.parse import ref_of
from penstock_operator.compile.problem import Problem, Reason
from penstock_operator.compile.schedule import ScheduleError, schedule_of

NOTHING_KEPT: Final = (
    "makes answers that nobody keeps: switch on spec.cache.exact, normalised or semantic"
)
NOBODYS: Final = (
    "asks for nobody in particular, and with scope User each user has answers of their own:"
    " set spec.cache.scope to App or Namespace"
)
NO_PROMPTS: Final = "says when, and spec.cache.warm.configMapRef does not say what: name it"


def warming_warnings(policy: RoutePolicy) -> Iterator[Problem]:
    """Warnings of the policy's `spec.cache.warm`."""
    cache = policy.spec.cache
    warm, path = cache.warm, "spec.cache.warm"
    if warm is None:
        return
    if not (cache.exact or cache.normalised or cache.semantic):
        yield _warning(policy, "NoEffect", NOTHING_KEPT, path)
    if warm.config_map_ref is not None and cache.scope == "User":
        yield _warning(policy, "NoEffect", NOBODYS, f"{path}.configMapRef")
    if warm.schedule is None:
        return
    if warm.config_map_ref is None:
        yield _warning(policy, "NoEffect", NO_PROMPTS, f"{path}.schedule")
    try:
        schedule_of(warm.schedule)
    except ScheduleError as error:
        message = f"{error}; until it is mended nothing is asked"
        yield _warning(policy, "ScheduleInvalid", message, f"{path}.schedule")


def _warning(policy: RoutePolicy, reason: Reason, message: str, path: str) -> Problem:
    return Problem(ref_of(policy), "Enforced", reason, message, "warning", path)
