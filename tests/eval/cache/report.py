"""The tables that `make eval-cache` prints, and the goals that it holds the cache to."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tests.eval.cache.levels import SHIPPED, THRESHOLDS, guarded, unguarded
from tests.eval.cache.measuring import Measurements
from tests.eval.cache.natural import SETS
from tests.eval.cache.prompts.prompt import KINDS
from tests.eval.cache.proportions import Share
from tests.eval.cache.replay import LEVELS
from tests.eval.cache.scoring import (
    LEAST_HITS,
    LEAST_PAIRS,
    MOST_FALSE,
    MOST_LOST,
    Goal,
    Hits,
    Judged,
    by_class,
    false_hits,
    lost,
)
from tests.eval.cache.set_aside import is_set_aside
from tests.eval.cache.shrinking import ALL_ON, LAST_TURN_KEPT, LEAST_SAVED, shrinkage

GUARDS: Final = (("guard on", guarded), ("guard off", unguarded))
MUST_SHRINK: Final = ("rag", "tool output")


def pairs_table(found: Measurements) -> Iterator[str]:
    """False hits on minimal pairs, by threshold, and by class at the shipped one."""
    yield "Minimal pairs answered with each other's answer, at any level"
    for name, refuses in GUARDS:
        for least in THRESHOLDS:
            false = false_hits(_clean(found.pairs(least, refuses)))
            yield f"  {name:10} threshold {least:.2f} {false}"
    at_shipped = found.pairs(SHIPPED.threshold)
    aside = [each for each in at_shipped if is_set_aside(each.pair)]
    yield f"  set aside, guard on, {SHIPPED.threshold:.2f}  {false_hits(aside)}"
    yield "  by level: " + ", ".join(
        f"{level} {sum(each.level == level for each in _clean(at_shipped))}" for level in LEVELS
    )
    yield ""
    near = f"cosine >= {SHIPPED.threshold:.2f}"
    yield f"  {'class':20} {'pairs':>5} {'mean cosine':>11} {near:>15} {'false hits':>10}"
    for kind, each in by_class(_clean(at_shipped)).items():
        mean = sum(one.similarity for one in each) / len(each)
        close = sum(one.similarity >= SHIPPED.threshold for one in each)
        yield f"  {kind:20} {len(each):5} {mean:11.3f} {close:15} {false_hits(each).part:10}"


def natural_table(found: Measurements) -> Iterator[str]:
    """Hits on labelled questions, and those across labels."""
    yield "Labelled questions as they come: answered by spelling, by meaning, and across labels"
    for source in SETS:
        for name, refuses in GUARDS:
            for least in THRESHOLDS:
                here = found.natural(source, least, refuses)
                yield f"  {source:10} {name:10} {least:.2f} {_hits(here)}"
        yield f"  {source:10} lost to the guard at {SHIPPED.threshold:.2f}: {_lost(found, source)}"


def trace_table(found: Measurements) -> Iterator[str]:
    """The second day of the trace, by kind of request and by level."""
    yield "The trace: requests answered from the cache"
    for name, refuses in GUARDS:
        for least in THRESHOLDS:
            every = found.second_day(least, refuses)["all"]
            yield f"  {name:10} threshold {least:.2f} {every.rate}"
    yield f"  at {SHIPPED.threshold:.2f}, guard on:"
    yield f"  {'request':12} {'number':>6}   exact normalised  semantic     all"
    for kind, here in found.second_day(SHIPPED.threshold).items():
        shares = [here.of(level).value * 100 for level in LEVELS]
        all_ = here.rate.value * 100
        yield (
            f"  {kind:12} {here.requests:6} {shares[0]:6.1f}% {shares[1]:9.1f}% {shares[2]:8.1f}%"
            f" {all_:6.1f}%"
        )


def compression_table() -> Iterator[str]:
    """Tokens saved against facts kept, by kind of prompt."""
    yield "Compression, all parts on: tokens and bytes saved, facts lost"
    for title, rules in (("all turns", ALL_ON), ("last turn left alone", LAST_TURN_KEPT)):
        for kind in KINDS:
            here = shrinkage(kind, rules)
            spread = sorted(each.saved * 100 for each in here.prompts)
            yield (
                f"  {title:20} {kind:12} {len(here.prompts):3} prompts "
                f"{here.saved * 100:5.1f} % of tokens ({spread[0]:.0f} to {spread[-1]:.0f}), "
                f"{here.saved_bytes * 100:5.1f} % of bytes, "
                f"{here.missing} of {here.facts} facts lost"
            )


def goals(found: Measurements) -> Iterator[Goal]:
    """What issue and design ask for, at the shipped defaults."""
    clean = _clean(found.pairs(SHIPPED.threshold))
    false = false_hits(clean)
    yield Goal(f"at least {LEAST_PAIRS} minimal pairs", len(clean) >= LEAST_PAIRS, f"{len(clean)}")
    yield Goal(f"false hits at most {MOST_FALSE:.0%}, surely", false.most <= MOST_FALSE, str(false))
    for source in SETS:
        share = _lost(found, source)
        yield Goal(f"{source}: at most {MOST_LOST:.0%} lost", share.value <= MOST_LOST, str(share))
    every = found.second_day(SHIPPED.threshold)["all"].rate
    yield Goal(f"trace: at least {LEAST_HITS:.0%} hits", every.value >= LEAST_HITS, str(every))
    yield from compression_goals()


def compression_goals() -> Iterator[Goal]:
    """These need neither an embedder nor the labelled sets."""
    for kind in MUST_SHRINK:
        saved = shrinkage(kind).saved
        yield Goal(f"{kind}: {LEAST_SAVED:.0%} shorter", saved >= LEAST_SAVED, f"{saved:.1%}")
    lost_facts = sum(shrinkage(kind, rules).missing for kind in KINDS for rules in _RULES)
    yield Goal("every fact kept", lost_facts == 0, f"{lost_facts} lost")


_RULES: Final = (ALL_ON, LAST_TURN_KEPT)


def tables(found: Measurements) -> str:
    """All of them."""
    made = (pairs_table(found), natural_table(found), trace_table(found), compression_table())
    return "\n\n".join("\n".join(lines) for lines in made)


def verdict(every: Iterable[Goal]) -> str:
    """A line for each goal."""
    lines = ((("NOT MET", "met")[goal.met], f"{goal.name}:", goal.found) for goal in every)
    return "\n".join(f"{met:7} {name:34} {found}" for met, name, found in lines)


def _clean(pairs: Sequence[Judged]) -> list[Judged]:
    """Those that use no word of the guard's own tables."""
    return [each for each in pairs if not is_set_aside(each.pair)]


def _lost(found: Measurements, source: str) -> Share:
    least = SHIPPED.threshold
    return lost(found.natural(source, least), found.natural(source, least, unguarded))


def _hits(here: Hits) -> str:
    levels = [f"{here.of(level).value * 100:5.2f} %" for level in LEVELS[1:]]
    return f"{levels[0]} {levels[1]}; all {here.rate}; across labels {here.wrong('hit-semantic')}"
