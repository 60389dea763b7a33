"""What the operator warns of, floors that nobody meets, is what sidecars refuse; and no more."""

from random import Random
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from penstock_config.classification import COMPLEXITIES, Complexity
from penstock_config.schema import SidecarConfig
from penstock_operator.compile.compiler import compile_snapshot
from penstock_operator.compile.gather import snapshot_of
from penstock_sidecar.errors import NoFit
from penstock_sidecar.model import Classification
from penstock_sidecar.routing.router import Router
from tests.operator.compile.documents import document
from tests.operator.compile.steady import steady
from tests.sidecar.routing.builders import CALLER, ManualClock, request

FREE = {"inputPerMillion": "0", "outputPerMillion": "0"}
MODELS = st.fixed_dictionaries(
    {},
    optional={
        "quality": st.sampled_from(["6.9", "7.0", "10"]),
        "expectedLatencyMs": st.sampled_from([999, 1000, 1001]),
        "price": st.just(FREE),
    },
)
DEMANDS = st.fixed_dictionaries(
    {},
    optional={
        "minQuality": st.sampled_from(["0", "7", "9.9"]),
        "maxLatencyMs": st.just(1000),
        "maxCostUSD": st.just("0.01"),
    },
).filter(bool)
UNKNOWN_PRICES = st.sampled_from(["Deny", "UseHighest", "Free"])


def documents(models: list[dict[str, Any]], unknown: str, **of_tier: Any) -> list[dict[str, Any]]:
    """One provider, a tier of all its models, and a policy for that."""
    named = [{"name": f"m{number}", **model} for number, model in enumerate(models)]
    candidates = [{"provider": {"name": "own"}, "model": each["name"]} for each in named]
    return [
        document(
            "LLMProvider",
            "own",
            type="openai",
            baseURL="https://api.example.com/v1",
            models=named,
            onUnknownPrice=unknown,
        ),
        document("ModelTier", "fast", models=candidates, onNoFit="Reject", **of_tier),
        document("RoutePolicy", "main"),
    ]


def refused(config: SidecarConfig, complexity: Complexity) -> bool:
    router = Router(config, config.policies[0], Random(1), ManualClock())
    asked, found = request("fast"), Classification("chat", complexity, 1.0)
    try:
        router.order(router.route(asked, CALLER, 10, found), asked, 10, found)
    except NoFit:
        return True
    return False


@steady
@given(
    st.lists(MODELS, min_size=1, max_size=3),
    UNKNOWN_PRICES,
    st.dictionaries(st.sampled_from(COMPLEXITIES), DEMANDS, min_size=1),
)
@example(  # good enough at another's price
    [{"price": FREE, "quality": "6.9"}, {"quality": "10"}],
    "UseHighest",
    {"simple": {"minQuality": "7", "maxCostUSD": "0.01"}},
)
def test_a_floor_that_is_warned_of_refuses_and_any_other_does_not(
    models: list[dict[str, Any]], unknown: str, demands: dict[Complexity, dict[str, Any]]
) -> None:
    floors = [{"complexity": complexity, **demand} for complexity, demand in demands.items()]
    snapshot = snapshot_of(
        documents(models, unknown, floors=floors),
        cluster="test",
        loopback_allowed=False,
        redis=None,
        scope_keys={"llm": "scope"},
    )
    compiled = compile_snapshot(snapshot)
    warned = {p.path for p in compiled.problems if p.reason == "FloorUnmet"}
    unmet = {
        f"spec.floors[{index}]"
        for index, complexity in enumerate(demands)
        if refused(compiled.configs["llm"], complexity)
    }
    assert warned == unmet
