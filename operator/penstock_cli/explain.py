"""`penstock explain`: prints which way a request would take, and why."""

from collections.abc import Iterable, Iterator
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from penstock_cli.explanation import Cost, Explanation, explained
from penstock_cli.output import print_json, stderr, stdout, table_of
from penstock_cli.question import Question
from penstock_cli.secret_sources import taken_for_granted
from penstock_cli.standin import StandIn, resolve
from penstock_cli.workspace import compile_files
from penstock_config.budget import Amounts, Budget
from penstock_config.provider import RateLimits
from penstock_sidecar.metering.cost import usd
from penstock_sidecar.model import Candidate, Classification
from penstock_sidecar.routing.debug import Verdict

CENT: Final = 10_000
"""In millionths of a dollar."""


def explain(paths: tuple[str, ...], standin: StandIn, question: Question, *, as_json: bool) -> int:
    """Print the way; 1 when the request would be refused."""
    workspace = compile_files(paths, taken_for_granted)
    if workspace.errors:
        stderr().print(table_of(workspace.errors))
    explanation = explained(resolve(standin, workspace), question)
    if as_json:
        print_json(document_of(explanation))
    else:
        stdout().print(Group(*_parts(explanation)))
    return 1 if explanation.refusal else 0


def document_of(explanation: Explanation) -> dict[str, object]:
    """All of it, as JSON wants it."""
    e = explanation
    return {
        "policy": e.policy.id,
        "labels": dict(e.pod.labels),
        "user": e.user,
        "input": {"estimatedTokens": e.input.tokens, "mostTokens": e.input.most_tokens},
        "rule": e.route.rule if e.route else None,
        "target": e.route.target if e.route else None,
        "classification": _classified(e.classification),
        "candidates": [
            {**_candidate(c, cost), **_judged(verdict)}
            for (c, cost), verdict in zip(_priced(e), e.verdicts, strict=True)
        ],
        "dropped": [
            {"candidate": d.candidate, "kind": d.kind, "reason": d.reason, "last": d.last}
            for d in (e.selection.drops if e.selection else ())
        ],
        "limits": [{"name": name, "limits": figures} for name, figures in _limits(e)],
        "budgets": [_budget(budget) for budget in e.budgets],
        "refusal": e.refusal or None,
    }


def _priced(explanation: Explanation) -> Iterator[tuple[Candidate, Cost]]:
    if explanation.selection:
        yield from zip(explanation.selection.candidates, explanation.costs, strict=True)


def _classified(found: Classification | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {
        "task": found.task,
        "complexity": found.complexity,
        "confidence": round(found.confidence, 2),
        "signals": list(found.signals),
    }


def _judged(verdict: Verdict) -> dict[str, object]:
    micro_usd = verdict.micro_usd
    return {
        "strategy": verdict.strategy,
        "score": verdict.score,
        "costsAboutUSD": None if micro_usd is None else usd(micro_usd),
    }


def _candidate(candidate: Candidate, cost: Cost) -> dict[str, object]:
    return {
        "candidate": candidate.label,
        "tier": candidate.tier,
        "priority": candidate.priority,
        "weight": candidate.weight,
        "costsAtMostUSD": None if cost.most_micro_usd is None else usd(cost.most_micro_usd),
        "outputTokens": cost.output_tokens,
        **_managed(candidate),
    }


def _managed(candidate: Candidate) -> dict[str, object]:
    """What is known beforehand of an Ollama that the operator runs; its replicas are in Redis."""
    managed, model = candidate.provider.managed, candidate.model
    if managed is None:
        return {}
    return {
        "managed": {
            "mayBeCold": managed.may_be_cold,
            "onCold": managed.on_cold,
            "parallel": model.parallel,
            "loadSeconds": model.load_seconds,
        }
    }


def _budget(budget: Budget) -> dict[str, object]:
    downgrade = budget.downgrade
    return {
        "budget": budget.id,
        "limitsUSD": {period: usd(amount) for period, amount in _amounts(budget.limits)},
        "perUserUSD": {period: usd(amount) for period, amount in _amounts(budget.per_user)},
        "onExceeded": budget.on_exceeded,
        "downgrade": downgrade and {"tier": downgrade.tier, "atPercent": downgrade.at_percent},
    }


def _amounts(amounts: Amounts) -> Iterable[tuple[str, int]]:
    return amounts.model_dump(exclude_none=True).items()


def _bounds(budget: Budget) -> str:
    """What it allows and what happens beyond, in one line."""
    shown = {period: _dollars(amount) for period, amount in _amounts(budget.limits)}
    shown |= {f"{period} per user": _dollars(a) for period, a in _amounts(budget.per_user)}
    cheaper = budget.downgrade
    before = f", {cheaper.tier} from {cheaper.at_percent} %" if cheaper else ""
    return f"{budget.id}: {_listed(shown)}{before}, then {budget.on_exceeded}"


def _limits(explanation: Explanation) -> Iterator[tuple[str, dict[str, int]]]:
    """The caller's, then those of every provider and model that may be asked."""
    for limit in explanation.policy.limits:
        yield f"{limit.name} (per {limit.per})", _figures(limit.limits)
    for candidate, _ in _priced(explanation):
        for name, rates in (
            (candidate.provider.id, candidate.provider.limits),
            (candidate.label, candidate.model.limits),
        ):
            if figures := _figures(rates):
                yield name, figures


def _figures(rates: RateLimits) -> dict[str, int]:
    return rates.model_dump(exclude_none=True, exclude={"window_seconds", "pacing"})


def _parts(explanation: Explanation) -> Iterator[Text | Table]:
    e = explanation
    labels = ", ".join(f"{k}={v}" for k, v in e.pod.labels.items()) or "no labels"
    yield _line("Policy", f"{e.policy.id} (selects {labels})")
    yield _line("User", e.user)
    yield _line("Input", f"about {e.input.tokens} tokens, {e.input.most_tokens} at most")
    if found := e.classification:
        why = f" ({', '.join(found.signals)})" if found.signals else ""
        text = f"{found.task}, {found.complexity}, confidence {found.confidence:.2f}{why}"
        yield _line("Kind", text)
    if e.refusal:
        yield _line("Refused", e.refusal, "bold red")
    if e.route:
        yield _line("Rule", f"{e.route.rule}, to {e.route.target}")
        yield _candidates(e)
    for drop in e.selection.drops if e.selection else ():
        yield _line(
            "Last" if drop.last else "Dropped", f"{drop.candidate}: {drop.reason}", "yellow"
        )
    for name, figures in dict(_limits(e)).items():
        yield _line("Limit", f"{name}: {_listed(figures)}")
    for budget in e.budgets:
        yield _line("Budget", _bounds(budget))


def _candidates(explanation: Explanation) -> Table:
    table = Table("", box=None)
    table.add_column("Candidate", overflow="fold")
    for heading in ("Tier", "Priority", "Strategy", "Score", "Costs about", "Costs at most"):
        table.add_column(heading)
    rows = zip(_priced(explanation), explanation.verdicts, strict=True)
    for number, ((candidate, cost), verdict) in enumerate(rows, 1):
        about, most = verdict.micro_usd, cost.most_micro_usd
        table.add_row(
            str(number),
            candidate.label,
            candidate.tier,
            str(candidate.priority),
            verdict.strategy,
            "unknown" if verdict.score is None else f"{verdict.score:.4g}",
            "unknown" if about is None else _dollars(about),
            _unknown(cost) if most is None else _dollars(most),
        )
    return table


def _unknown(cost: Cost) -> str:
    return "price unknown: refused by a budget" if cost.refused else "price unknown"


def _dollars(micro: int) -> str:
    """Cents where that says it all."""
    return f"${usd(micro)}" if micro % CENT else f"${micro // CENT / 100:.2f}"


def _line(name: str, value: str, style: str = "") -> Text:
    return Text.assemble((f"{name:<10}", "bold"), (value, style))


def _listed(figures: dict[str, int] | dict[str, str]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items())
