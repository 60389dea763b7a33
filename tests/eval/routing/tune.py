"""Writes the classifier's weights: `python -m tests.eval.routing.tune [--check]`.

Learns from the tuning half of the evaluation set and from `extra.jsonl`, never from the half that
is held back. Tells by cross-validation over the tuning half what to expect of requests that were
not learned from. `--check` writes nothing, and fails where the table is not what would be written.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from penstock_config.classification import COMPLEXITIES, TASKS
from penstock_sidecar import classify
from penstock_sidecar.classify.classifier import Classifier
from penstock_sidecar.classify.features import Extractor
from penstock_sidecar.classify.lexicon import Lexicon
from penstock_sidecar.classify.rarity import Rarity
from penstock_sidecar.classify.reading import read
from penstock_sidecar.classify.weights import Weights
from penstock_sidecar.model import Request
from tests.eval.routing.fitting import Sample, fitted
from tests.eval.routing.prompts import HERE, TUNING, Prompt, load
from tests.eval.routing.scoring import Verdict, request_of, score

EXTRA: Final = HERE / "extra.jsonl"
"""One document per line: `task`, `complexity`, `text`. Made for this, in nobody else's words."""
TABLE: Final = Path(classify.__file__).parent / "weights.json"
FOLDS: Final = 5


def learned(extractor: Extractor, prompts: Sequence[Prompt]) -> dict[str, object]:
    """The table for these prompts and the extra ones."""
    known = [*map(_labelled, prompts), *_extra()]
    return fitted([_sample(extractor, request, verdict) for request, verdict in known])


def text_of(table: Mapping[str, Any]) -> str:
    """A line for each feature, so that changes can be read."""
    rows = ",\n".join(f'    "{name}": {json.dumps(row)}' for name, row in table["rows"].items())
    return f'{{\n  "bias": {json.dumps(table["bias"])},\n  "rows": {{\n{rows}\n  }}\n}}\n'


def cross_validation(extractor: Extractor, prompts: Sequence[Prompt]) -> str:
    found: dict[str, Verdict] = {}
    for fold in range(FOLDS):
        kept = [p for i, p in enumerate(prompts) if i % FOLDS != fold]
        classifier = Classifier(extractor, Weights.of(learned(extractor, kept)))
        asked = prompts[fold::FOLDS]
        scores = score(asked, partial(_verdict, classifier))
        found.update(zip((p.id for p in asked), scores.found, strict=True))
    results = score(prompts, lambda request: found[request.call_id])
    lines = (f"{goal.name}: {goal.share:.3f}" for goal in results.goals())
    return "\n".join((results.tables(), "", *lines))


def _verdict(classifier: Classifier, request: Request) -> Verdict:
    weighed = classifier.weigh(request)
    return weighed.task, weighed.complexity


def _labelled(prompt: Prompt) -> tuple[Request, Verdict]:
    return request_of(prompt), (prompt.task, prompt.complexity)


def _extra() -> list[tuple[Request, Verdict]]:
    lines = map(json.loads, EXTRA.read_text("utf-8").splitlines())
    return [(_asking(line["text"]), (line["task"], line["complexity"])) for line in lines]


def _asking(text: str) -> Request:
    document = {"model": "auto", "messages": [{"role": "user", "content": text}]}
    return Request("extra", "auto", False, False, json.dumps(document).encode(), document, {})


def _sample(extractor: Extractor, request: Request, verdict: Verdict) -> Sample:
    task, complexity = verdict
    return Sample(
        extractor.features(read(request)),
        None if task == "vision" else list(map(str, TASKS)).index(task),
        list(map(str, COMPLEXITIES)).index(complexity),
    )


def main() -> int:
    extractor = Extractor(Lexicon.load(), Rarity.load())
    prompts = load(TUNING)
    table = text_of(learned(extractor, prompts))
    if "--check" in sys.argv[1:]:
        return int(table != TABLE.read_text("utf-8"))
    TABLE.write_text(table, "utf-8")
    print(cross_validation(extractor, prompts))  # noqa: T201  # a command's answer
    return 0


if __name__ == "__main__":
    sys.exit(main())
