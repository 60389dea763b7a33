"""The command's figures are what they say, and the table is what the tuning writes."""

import json
from collections import Counter

import pytest

from penstock_config.classification import COMPLEXITIES, TASKS
from penstock_sidecar.classify.features import Extractor
from penstock_sidecar.classify.lexicon import Lexicon
from penstock_sidecar.classify.rarity import Rarity
from tests.eval.routing.__main__ import classified, main
from tests.eval.routing.prompts import HELD_BACK, SECOND_HAND, TUNING, Prompt, load
from tests.eval.routing.scoring import Scores, request_of, score
from tests.eval.routing.tune import EXTRA, TABLE, learned, text_of

PROMPTS = load(TUNING)[:8]


def scores(*found: tuple[str, str]) -> Scores:
    return Scores(PROMPTS[: len(found)], found, [float(i) for i in range(len(found))])


def truth(prompt: Prompt) -> tuple[str, str]:
    return prompt.task, prompt.complexity


def test_all_right_is_all_goals_met() -> None:
    assert all(goal.share == 1 and goal.met for goal in scores(*map(truth, PROMPTS)).goals())


def test_what_is_wrong_is_counted_by_how_far() -> None:
    def shifted(prompt: Prompt, steps: int) -> tuple[str, str]:
        place = (list(COMPLEXITIES).index(prompt.complexity) + steps) % 4
        return prompt.task, COMPLEXITIES[place]

    task, exact, near = scores(*(shifted(p, 2) for p in PROMPTS)).goals()
    assert (task.share, exact.share, near.share) == (1, 0, 0)
    assert not exact.met
    task, exact, near = scores(("vision", "simple"), *map(truth, PROMPTS[1:])).goals()
    assert task.share == pytest.approx(7 / 8) or PROMPTS[0].task == "vision"


def test_the_matrix_says_what_was_taken_for_what() -> None:
    found = [("chat", "simple")] * len(PROMPTS)
    tasks = scores(*found).tables().split("\n\n")[0].splitlines()
    column = tasks[0].split().index("chat") + 1
    counts = {line.split()[0]: line.split()[column] for line in tasks[1:]}
    expected = Counter(prompt.task for prompt in PROMPTS)
    assert counts == {task: str(expected[task] or ".") for task in TASKS}


def test_percentiles_are_of_the_times() -> None:
    found = scores(*map(truth, PROMPTS))
    assert (found.percentile_micros(50), found.percentile_micros(95)) == (4.0, 7.0)


def test_a_request_is_classified_as_the_sidecar_parses_it() -> None:
    found = score(PROMPTS, classified)
    assert found.found == [classified(request_of(prompt)) for prompt in PROMPTS]
    assert len(found.micros) == len(PROMPTS)


def test_the_goals_are_met(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    said = capsys.readouterr().out
    assert ("held-back half:" if HELD_BACK.exists() else "this flatters") in said
    assert "another hand:" in said
    assert said.count(": met") == 6


def test_the_table_is_what_the_tuning_writes() -> None:
    """Rounded sums may differ by one where a machine's logarithm does."""
    table = learned(Extractor(Lexicon.load(), Rarity.load()), load(TUNING))
    kept, made = json.loads(TABLE.read_text("utf-8")), json.loads(text_of(table))
    assert kept.keys() == made.keys()
    assert kept["rows"].keys() == made["rows"].keys()
    for name, row in made["rows"].items():
        assert row == pytest.approx(kept["rows"][name], abs=1), name


def test_the_extra_requests_are_nobody_else_s() -> None:
    lines = list(map(json.loads, EXTRA.read_text("utf-8").splitlines()))
    assert all(line.keys() == {"task", "complexity", "text"} for line in lines)
    assert {line["task"] for line in lines} == set(TASKS)
    assert {line["complexity"] for line in lines} == set(COMPLEXITIES)
    texts = {line["text"].strip().lower() for line in lines}
    assert len(texts) == len(lines)
    for path in (TUNING, HELD_BACK, SECOND_HAND):
        if path.exists():
            asked = {
                p.messages[-1].content.strip().lower()
                for p in load(path)
                if len(p.messages[-1].content) > 40
            }
            assert texts.isdisjoint(asked)
