"""What callers and telemetry are told of an ensemble. Holds no text of anybody's. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from penstock_sidecar.ensemble.consensus import Decision
from penstock_sidecar.ensemble.gathering import Gathering
from penstock_sidecar.ensemble.member import Member
from penstock_sidecar.limits.limiter import Attempt
from penstock_sidecar.model import Candidate, EnsembleMember, EnsembleResult, MemberResult

MODELS_SHOWN: Final = 32
"""In a header: more are more than some clients read."""
STRONG_AGREEMENT: Final = 2 / 3
STRONG_VOTERS: Final = 3


def result_of(
    gathering: Gathering,
    decision: Decision | None,
    advisers: Sequence[tuple[Candidate, Attempt]] = (),
) -> EnsembleResult:
    """`decision` is None where nobody answered."""
    asked = [_member(each, gathering, decision) for each in gathering.members]
    advised = [_told(candidate, "advised", attempt) for candidate, attempt in advisers]
    return EnsembleResult(
        consensus=gathering.plan.ensemble.consensus,
        tier=gathering.plan.tier.name,
        asked=len(asked),
        answered=len(gathering.voters),
        agreement=decision.agreement if decision else 0.0,
        degraded=gathering.degraded,
        members=(*asked, *advised),
    )


def headers_of(result: EnsembleResult) -> Mapping[str, str]:
    """Structured fields (RFC 9651): a dictionary, and a list of models with parameters."""
    figures = (
        f"asked={result.asked}, answered={result.answered}, agreement={result.agreement:.3f},"
        f" consensus={result.consensus.lower()}{', degraded' if result.degraded else ''}"
    )
    shown = [_shown(each) for each in result.members if each.result != "advised"]
    return {
        "x-penstock-ensemble": figures,
        "x-penstock-ensemble-models": ", ".join(shown[:MODELS_SHOWN]),
    }


def _member(member: Member, gathering: Gathering, decision: Decision | None) -> EnsembleMember:
    candidate, attempt = member.candidate, member.attempt
    if member.error:
        return _told(candidate, "failed", attempt, error_type=member.error.error_type)
    place = next((i for i, each in enumerate(gathering.voters) if each is member), None)
    if place is None or decision is None:
        return _told(candidate, "overtaken", attempt)
    confidence = decision.confidences[place]
    return _told(candidate, _vote(place, gathering, decision), attempt, confidence=confidence)


def _vote(place: int, gathering: Gathering, decision: Decision) -> MemberResult:
    """Who agrees is known only where answers are counted."""
    if place == decision.chosen:
        return "chosen"
    if gathering.plan.ensemble.consensus != "Majority":
        return "answered"
    ballots = gathering.ballots
    return "agreed" if ballots[place].says == ballots[decision.chosen].says else "dissented"


def _told(
    candidate: Candidate,
    result: MemberResult,
    attempt: Attempt | None,
    *,
    confidence: float | None = None,
    error_type: str = "",
) -> EnsembleMember:
    return EnsembleMember(
        provider=candidate.provider.id,
        model=candidate.model.name,
        result=result,
        confidence=confidence,
        error_type=error_type,
        cost_micro_usd=attempt.cost_micro_usd if attempt else 0,
    )


def _shown(member: EnsembleMember) -> str:
    said = [f";result={member.result}"]
    if member.confidence is not None:
        said.append(f";confidence={member.confidence:.3f}")
    if member.error_type:
        said.append(f";error={member.error_type}")
    return _quoted(f"{member.provider}/{member.model}") + "".join(said)


def _quoted(text: str) -> str:
    plain = text.encode("ascii", "replace").decode()
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def dissenters(gathering: Gathering, decision: Decision) -> Iterable[Candidate]:
    """Whose answers a strong majority contradicts: at least two thirds, of at least three."""
    strong = decision.agreement >= STRONG_AGREEMENT and len(gathering.voters) >= STRONG_VOTERS
    if not strong or gathering.plan.ensemble.consensus != "Majority":
        return ()
    winner = gathering.ballots[decision.chosen].says
    return [each.candidate for each in gathering.ballots if each.says != winner]
