"""`penstock explain`: prints which way a request would take, and why."""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from penstock_cli.failure import WrongUsage
from penstock_cli.output import print_json, stderr, stdout, table_of
from penstock_cli.question import Question
from penstock_cli.secret_sources import taken_for_granted
from penstock_cli.standin import StandIn, StandInPod, resolve
from penstock_cli.workspace import compile_files
from penstock_config.budget import Amounts, Budget
from penstock_sidecar.clock import SystemClock
from penstock_sidecar.explaining import Cost, Explainer, Explanation, document_of, limits_of
from penstock_sidecar.metering.cost import usd
from penstock_sidecar.model import Pod
from penstock_sidecar.routing.router import Router

CENT: Final = 10_000
"""In millionths of a dollar."""
SEED: Final = 0
"""Equal questions get equal orders; a sidecar draws among candidates of equal priority."""


def explain(paths: tuple[str, ...], standin: StandIn, question: Question, *, as_json: bool) -> int:
    """Print the way; 1 when the request would be refused."""
    workspace = compile_files(paths, taken_for_granted)
    if workspace.errors:
        stderr().print(table_of(workspace.errors))
    explanation = _explained(resolve(standin, workspace), question)
    if as_json:
        print_json(document_of(explanation))
    else:
        stdout().print(Group(*_parts(explanation)))
    return 1 if explanation.refusal else 0


def _explained(pod: StandInPod, question: Question) -> Explanation:
    """By the sidecar's own stages. Raises `WrongUsage`."""
    if pod.policy is None:
        msg = f"no RoutePolicy of namespace {pod.namespace} selects these labels"
        raise WrongUsage(msg)
    router = Router(pod.config, pod.policy, Random(SEED), SystemClock())  # noqa: S311  # not a secret
    in_pod = Pod(pod.namespace, "local", pod.app, pod.labels)
    explainer = Explainer(pod.config, pod.policy, in_pod, router)
    request = question.request()
    return explainer.chosen(explainer.routed(request), request)


def _amounts(amounts: Amounts) -> Iterable[tuple[str, int]]:
    return amounts.model_dump(exclude_none=True).items()


def _bounds(budget: Budget) -> str:
    """What it allows and what happens beyond, in one line."""
    shown = {period: _dollars(amount) for period, amount in _amounts(budget.limits)}
    shown |= {f"{period} per user": _dollars(a) for period, a in _amounts(budget.per_user)}
    cheaper = budget.downgrade
    before = f", {cheaper.tier} from {cheaper.at_percent} %" if cheaper else ""
    return f"{budget.id}: {_listed(shown)}{before}, then {budget.on_exceeded}"


def _parts(explanation: Explanation) -> Iterator[Text | Table]:
    e = explanation
    labels = ", ".join(f"{k}={v}" for k, v in e.labels.items()) or "no labels"
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
    for name, figures in dict(limits_of(e)).items():
        yield _line("Limit", f"{name}: {_listed(figures)}")
    for budget in e.budgets:
        yield _line("Budget", _bounds(budget))


def _candidates(explanation: Explanation) -> Table:
    table = Table("", box=None)
    table.add_column("Candidate", overflow="fold")
    for heading in ("Tier", "Priority", "Strategy", "Score", "Costs about", "Costs at most"):
        table.add_column(heading)
    rows = zip(explanation.verdicts, explanation.costs, strict=True)
    for number, (verdict, cost) in enumerate(rows, 1):
        candidate, about, most = verdict.candidate, verdict.micro_usd, cost.most_micro_usd
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
