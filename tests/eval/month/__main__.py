"""`python -m tests.eval.month`: what a month costs, routed and with one model for everything."""

import asyncio
import sys
from random import Random
from typing import Final

from penstock_sidecar.classify import Classifier
from penstock_sidecar.model import Classification, Request
from tests.eval.month.simulation import Month, Simulation, best_model, configuration
from tests.eval.month.traffic import Visit, visits
from tests.eval.month.truth import Truth, truth
from tests.eval.routing.prompts import HELD_BACK, TUNING, load

SEED: Final = 2026
HEAD: Final = """\
| | requests | right | unserved | $ per 1,000 | plan used up | while another had > 20 % |
|---|---:|---:|---:|---:|---:|---:|"""


def compared(seed: int = SEED) -> tuple[Month, Month]:
    """(routed, always the best model): the same questions, the same bad hours."""
    true, config = truth(), configuration()
    asked = asked_in(true, seed)
    routed = asyncio.run(Simulation(config, true, Random(seed)).run(asked))
    always = Simulation(config, true, Random(seed)).run_always(asked, best_model(config, true))
    return routed, always


def asked_in(true: Truth, seed: int) -> list[Visit]:
    """The month's requests, from the half of the evaluation set that nothing was tuned on."""
    prompts = load(HELD_BACK if HELD_BACK.exists() else TUNING)
    return list(visits(prompts, true, classify, Random(seed)))


def classify(request: Request) -> Classification:
    return Classifier.load().weigh(request).classification()


def main() -> int:
    routed, always = compared()
    print(
        "| | requests | right | unserved | $ per 1,000 | plans used up | while another had > 20 % |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, month in (("routed", routed), ("always the best model", always)):
        print(
            f"| {name} | {month.requests} | {month.share_right:.4f} | {month.unserved} |"
            f" {month.usd_per_thousand:.3f} | {month.used_up} | {month.unspread} |"
        )
    print(f"\ncost: {1 - routed.usd_per_thousand / always.usd_per_thousand:.1%} less; served by:")
    for label, count in routed.served_by.most_common():
        print(f"  {label}: {count / routed.requests:.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
