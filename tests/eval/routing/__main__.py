"""`make eval-routing`: how well requests are classified, and how fast; exits 1 below the goals.

On the half that was held back while the classifier was tuned; where it is not there, on the tuning
half, whose figures flatter: the weights were fitted to it. Then on requests of another hand.
"""

import sys
from collections.abc import Sequence
from typing import Final

from penstock_sidecar.classify import Classifier
from penstock_sidecar.model import Request
from tests.eval.routing.prompts import HELD_BACK, SECOND_HAND, TUNING, Message, Prompt, load
from tests.eval.routing.scoring import Scores, Verdict, score

HOSTILE: Final = (" ", "\n", "a", "a_", "1.", "(", "$a", " x =", "`", "- x\n", "「", "q" * 30 + " ")
"""Repeated for megabytes."""
HOSTILE_CHARACTERS: Final = 5_000_000
CLASSIFIER: Final = Classifier.load()


def classified(request: Request) -> Verdict:
    weighed = CLASSIFIER.weigh(request)
    return weighed.task, weighed.complexity


def slowest_hostile_micros() -> float:
    return max(map(_hostile_micros, HOSTILE))


def _hostile_micros(piece: str) -> float:
    text = piece * (HOSTILE_CHARACTERS // len(piece))
    message = Message(role="user", content=text)
    prompt = Prompt("p0000", "chat", "simple", (message,), 0, False, "en", "written", "plain")
    return score((prompt,), classified).micros[0]


def report(title: str, prompts: Sequence[Prompt]) -> Scores:
    scores = score(prompts, classified)
    print(f"{title}: {len(prompts)} requests\n\n{scores.tables()}\n")
    for goal in scores.goals():
        verdict = "met" if goal.met else "NOT MET"
        print(f"{goal.name + ':':24}{goal.share:.3f}   at least {goal.least:.2f}: {verdict}")
    p50, p95 = scores.percentile_micros(50), scores.percentile_micros(95)
    print(f"time per request: p50 {p50:.0f} us, p95 {p95:.0f} us")
    return scores


def main() -> int:
    held_back = HELD_BACK.exists()
    title = "held-back half" if held_back else "tuning half (the other is held back; this flatters)"
    scores = report(title, load(HELD_BACK if held_back else TUNING))
    print()
    another = report("another hand", load(SECOND_HAND))
    megabytes = HOSTILE_CHARACTERS // 1_000_000
    slowest = slowest_hostile_micros()
    print(f"slowest of {len(HOSTILE)} hostile texts of {megabytes} MB: {slowest:.0f} us")
    return int(not all(goal.met for goal in (*scores.goals(), *another.goals())))


if __name__ == "__main__":
    sys.exit(main())
