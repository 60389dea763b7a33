"""From verdicts to what `/progress` says. Pure."""

from collections.abc import Mapping

from penstock_operator.loader.board import Amount
from penstock_operator.loader.verdict import Fact, Verdict
from penstock_operator.loader.words import fit
from penstock_operator.ollama.progress import ModelProgress, Progress


def reported(
    facts: Mapping[str, Fact], verdicts: Mapping[str, Verdict], amounts: Mapping[str, Amount]
) -> tuple[ModelProgress, ...]:
    """In the order of the file, under its names."""
    return tuple(
        _model(fact, verdicts[name], amounts.get(name, Amount())) for name, fact in facts.items()
    )


def replica(models: tuple[ModelProgress, ...], *problems: str, ready: bool) -> Progress:
    return Progress(ready=ready, models=models, message=fit("; ".join(filter(None, problems))))


def _model(fact: Fact, verdict: Verdict, amount: Amount) -> ModelProgress:
    running, installed = fact.running, fact.installed
    moving = verdict.state in {"Pulling", "Creating"}
    return ModelProgress(
        name=fact.order.name,
        state=verdict.state,
        completed_bytes=amount.completed if moving else 0,
        total_bytes=amount.total if moving else 0,
        size_bytes=running.size if running is not None else 0,
        vram_bytes=running.size_vram if running is not None else 0,
        digest=installed.digest if installed is not None else "",
        message=fit(verdict.message),
    )
