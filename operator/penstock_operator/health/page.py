"""Health's part of a status, and the news in it. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

from penstock_operator.health.judging import CandidateHealth, Facts, models_of, verdict_of
from penstock_operator.status import MAX_MESSAGE_CHARACTERS, Condition, former_conditions

Document = dict[str, Any]
PROVIDER_FIELDS: Final = ("models", "lastProbeTime")
TIER_FIELDS: Final = ("available", "total", "candidates")
MAX_MODELS: Final = 128
MAX_CANDIDATES: Final = 64
PROBE_TIME_SECONDS: Final = 300.0
"""`lastProbeTime` alone is no reason to write more often."""
News = tuple[Literal["Normal", "Warning"], str, str, tuple[str, ...]]
"""Type, reason, message, and what tells this occasion from others."""


def provider_status(
    facts: Facts, generation: int, former: Mapping[str, Any], now: datetime
) -> Document:
    """All that is said of a provider; `former` is what was said before."""
    status, reason, message = verdict_of(facts)
    before = former_conditions(former.get("conditions") or ()).get("Healthy")
    since = before.since if before is not None and before.status == status else now
    text = message[:MAX_MESSAGE_CHARACTERS]
    condition = Condition("Healthy", status, reason, text, generation, since)
    document: Document = {
        "models": [
            _line({"name": each.name, "available": each.available}, each.reason)
            for each in models_of(facts)[:MAX_MODELS]
        ],
        "conditions": [condition.document()],
    }
    if moment := _probe_time(facts, former):
        document["lastProbeTime"] = moment
    return document


def tier_status(candidates: Sequence[CandidateHealth] | None, total: int) -> Document:
    """Of a tier that nobody uses only how many candidates it names."""
    if candidates is None:
        return {"total": total}
    return {
        "total": total,
        "available": sum(each.available for each in candidates),
        "candidates": [
            _line(
                {"provider": each.provider, "model": each.model, "available": each.available},
                each.reason,
            )
            for each in candidates[:MAX_CANDIDATES]
        ],
    }


def own_part(status: Mapping[str, Any]) -> Document:
    """What health said, of a whole status."""
    found = {name: status[name] for name in (*PROVIDER_FIELDS, *TIER_FIELDS) if name in status}
    healthy = [c for c in status.get("conditions") or () if c.get("type") == "Healthy"]
    return found | ({"conditions": healthy} if healthy else {})


def provider_news(document: Document, former: Document) -> News | None:
    """That it has become healthy, or ceased to be."""
    after, before = _healthy(document), _healthy(former)
    if after is None or after["status"] == (before or {}).get("status"):
        return None
    occasion = ("Healthy", str(after["lastTransitionTime"]))
    match after["status"]:
        case "False":
            return "Warning", str(after["reason"]), str(after["message"]), occasion
        case "True" if before is not None and before["status"] == "False":
            return "Normal", "Healthy", str(after["message"]), occasion
        case _:
            return None


def tier_news(document: Document, former: Document, now: datetime) -> News | None:
    """That nobody of it works, or somebody does again."""
    after, before = document.get("available"), former.get("available")
    occasion = ("available", _text(now))
    if after == 0 and before != 0 and document["total"]:
        causes = dict.fromkeys(str(each.get("reason")) for each in document["candidates"])
        text = f"No candidate is available ({', '.join(causes)}): the least bad is asked."
        return "Warning", "NoneAvailable", text, occasion
    if after and before == 0:
        text = f"{after} of {document['total']} candidates are available."
        return "Normal", "Available", text, occasion
    return None


def _healthy(document: Document) -> Document | None:
    conditions = document.get("conditions") or ()
    return next((c for c in conditions if c.get("type") == "Healthy"), None)


def _probe_time(facts: Facts, former: Mapping[str, Any]) -> str | None:
    """The former one while it is young enough."""
    if facts.provider is None or facts.probed is None:
        return None
    said = former.get("lastProbeTime")
    try:
        written = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        written = None
    at = facts.probed.at
    if written and 0 <= (at - written).total_seconds() < PROBE_TIME_SECONDS:
        return str(said)
    return _text(at)


def _line(line: Document, reason: str | None) -> Document:
    return line | ({"reason": reason} if reason else {})


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
