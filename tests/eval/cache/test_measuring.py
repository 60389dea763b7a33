"""The whole measurement, small: the sidecar's code, the embedder's code and its real model."""

from pathlib import Path

import pytest

from tests.eval.cache import report
from tests.eval.cache.levels import SHIPPED, unguarded
from tests.eval.cache.measuring import Material, Measurements, material
from tests.eval.cache.natural import SETS, excerpt
from tests.eval.cache.pairs import pairs
from tests.eval.cache.proportions import Share
from tests.eval.cache.scoring import false_hits
from tests.eval.cache.trace import trace

EVERY = 24
QUESTIONS = 80
REQUESTS = 100


@pytest.fixture(scope="module")
def small(embedder_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Measurements:
    queries = excerpt()
    natural = {s: [q for q in queries if q.source == s][:QUESTIONS] for s in SETS}
    of = Material(pairs()[::EVERY], natural, trace(queries, REQUESTS), complete=False)
    return Measurements(of, embedder_python, tmp_path_factory.mktemp("remembered"))


def test_a_guard_is_needed(small: Measurements) -> None:
    """A tenth of the pairs is nearer than the threshold at least, so that there is something to
    refuse; and the guard refuses most of it."""
    unguarded_hits = false_hits(small.pairs(SHIPPED.threshold, unguarded))
    assert unguarded_hits.value > 0.1
    assert false_hits(small.pairs(SHIPPED.threshold)).part < unguarded_hits.part / 4


def test_a_higher_threshold_hits_less_and_so_does_a_guard(small: Measurements) -> None:
    for source in SETS:
        low, high = (small.natural(source, least).rate.part for least in (0.90, 0.97))
        assert high <= low <= small.natural(source, 0.90, unguarded).rate.part


def test_of_the_trace_all_that_is_word_for_word_hits_and_nothing_novel_does(
    small: Measurements,
) -> None:
    kinds = small.second_day(SHIPPED.threshold)
    assert kinds["exact"].rate == Share(50, 50)
    assert kinds["all"].requests == REQUESTS
    assert kinds["spelling"].rate.value > 0.8
    assert kinds["novel"].rate.part == 0


def test_every_table_and_every_goal_is_told(small: Measurements) -> None:
    tables = report.tables(small)
    for word in ("Minimal pairs", "role-swap", *SETS, "paraphrase", "tool output"):
        assert word in tables
    goals = list(report.goals(small))
    assert [goal.name for goal in goals if goal.found == ""] == []
    assert len(goals) == 8
    assert not goals[0].met, "58 pairs are not 600"
    assert report.verdict(goals).count("\n") == len(goals) - 1


def test_without_the_whole_sets_the_excerpt_is_measured(tmp_path: Path) -> None:
    assert not material(tmp_path).complete
