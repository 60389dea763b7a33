"""Random snapshots: few names, so that references often meet, and often do not."""

from typing import Any

from hypothesis import strategies as st

from penstock_config.classification import COMPLEXITIES as COMPLEXITY_WORDS
from penstock_operator.compile.gather import snapshot_of
from penstock_operator.compile.snapshot import PodLabels, RedisSettings, SecretData, Snapshot
from tests.operator.compile.documents import document

NAMES = st.sampled_from(["a", "b"])
NAMESPACES = st.sampled_from(["one", "two"])
RARELY = st.sampled_from([False, False, True])
MODELS = st.sampled_from(["m", "m", "m", "n"])
LABELS = st.dictionaries(st.sampled_from(["app", "team"]), st.sampled_from(["x", "y"]))
REFS = st.fixed_dictionaries({"name": NAMES}, optional={"namespace": NAMESPACES})
SELECTORS = st.fixed_dictionaries({"matchLabels": LABELS})
AMOUNTS = st.decimals(min_value=0, max_value=10**6, places=6).map(lambda amount: f"{amount:f}")


def record(needed: dict[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(needed, optional=optional)


def lists(items: Any, *keys: str, least: int = 0) -> st.SearchStrategy[list[dict[str, Any]]]:
    by = (lambda item: tuple(str(item[key]) for key in keys)) if keys else None
    return st.lists(items, min_size=least, max_size=3, unique_by=by)


ALLOWED = st.sampled_from(["Same", "All"]).map(lambda whom: {"from": whom}) | record(
    {"from": st.just("Selector"), "selector": SELECTORS}
)
PRICES = record({"inputPerMillion": AMOUNTS, "outputPerMillion": AMOUNTS})
PROVIDERS = record(
    {
        "models": lists(
            record({"name": MODELS}, price=PRICES, suspended=RARELY, quality=st.just("7.0")),
            "name",
            least=1,
        ),
        "type": st.sampled_from(["openai", "openai", "ollama", "anthropic"]),
        "baseURL": st.sampled_from(
            [
                "https://api.example.com/v1",
                "http://10.0.0.1",
                "http://x.llm.svc",
                "http://localhost:1",
            ]
        ),
    },
    credentials=record(
        {"secretRefs": lists(record({"name": NAMES, "key": NAMES}), "name", least=1)}
    ),
    suspended=RARELY,
    onUnknownPrice=st.sampled_from(["Deny", "UseHighest", "Free"]),
    allowedNamespaces=ALLOWED,
)
COMPLEXITIES = st.sampled_from(COMPLEXITY_WORDS)
FLOORS = record({"complexity": COMPLEXITIES, "minQuality": st.sampled_from(["6.9", "7", "10"])})
ENSEMBLES = record(
    {
        "sizes": lists(
            record({"complexity": COMPLEXITIES, "min": st.just(1), "max": st.just(3)}),
            "complexity",
            least=1,
        )
    },
    quorum=st.integers(1, 3),
    minAgreement=st.sampled_from(["0", "0.5"]),
)
CHOICES = record(
    {"models": lists(record({"provider": REFS, "model": MODELS}), "provider", least=1)},
    strategy=st.sampled_from(["Weighted", "LeastCost", "MostHeadroom", "Adaptive"]),
    floors=lists(FLOORS, "complexity"),
    onNoFit=st.sampled_from(["Cheapest", "Reject"]),
    timeouts=lists(record({"complexity": COMPLEXITIES, "seconds": st.just(30)}), "complexity"),
    hedge=st.just({"afterMs": 100, "whenHeadroomBelowPercent": 20}),
    ensemble=ENSEMBLES,
    fallbackTiers=lists(REFS),
    allowedNamespaces=ALLOWED,
)


def judged(tier: dict[str, Any], model: dict[str, Any] | None, own: bool) -> dict[str, Any]:
    """With a judge, where the tier has an ensemble: often its own first candidate, which is more
    likely to be there than any."""
    judge = tier["models"][0] if own else model
    if "ensemble" not in tier or judge is None:
        return tier
    return tier | {"ensemble": tier["ensemble"] | {"consensus": "Judge", "judge": judge}}


TIERS = st.builds(
    judged,
    CHOICES,
    st.none() | record({"provider": REFS, "model": MODELS}),
    st.booleans(),
)
RULES = st.one_of(
    record({"name": NAMES, "tier": REFS}), record({"name": NAMES, "model": MODELS})
).flatmap(
    lambda rule: record(
        {key: st.just(value) for key, value in rule.items()},
        match=record(
            {},
            models=st.just(["*"]),
            users=st.sampled_from([["x"], ["y"], ["[a]"]]),
            tasks=st.just(["coding"]),
            cel=st.just("true"),
        ),
        overrides=st.sampled_from([{"timeoutSeconds": 5}, {"cache": "Bypass"}]),
    )
)
LIMITS = record(
    {"name": NAMES, "per": st.sampled_from(["App", "User"]), "requestsPerMinute": st.just(5)},
    weight=st.integers(1, 100),
    reservedPercent=st.sampled_from([0, 20, 100]),
    shadow=RARELY,
    lease=RARELY,
)
POLICIES = record(
    {"defaultTier": REFS},
    limits=lists(LIMITS, "name"),
    requestPriority=st.sampled_from(["Low", "Normal", "High"]),
    memory=st.just({}),
    rules=lists(RULES, "name"),
    selector=SELECTORS,
    precedence=st.integers(-2, 2),
    suspended=RARELY,
)
WARNINGS = st.sampled_from([{"onExceeded": "Reject"}, {"onExceeded": "Warn"}, {}])
DOWNGRADES = record(
    {"onExceeded": st.just("Downgrade"), "downgrade": record({"tier": REFS})},
)
BOOSTS = record(
    {
        "amountUSD": AMOUNTS,
        "until": st.sampled_from(["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"]),
        "reason": st.just("incident"),
    }
)
BUDGETS = st.builds(
    lambda spec, exceeded: spec | exceeded,
    record(
        {"limits": record({"daily": AMOUNTS})},
        perUser=record({"monthly": AMOUNTS}),
        scope=record({}, tiers=lists(REFS), providers=lists(REFS), pods=SELECTORS),
        timeZone=st.sampled_from(["UTC", "Europe/Berlin", "Mars"]),
        boost=BOOSTS,
        unsettledAgeOutHours=st.integers(1, 744),
    ),
    WARNINGS | DOWNGRADES,
)
SECRETS = st.builds(
    SecretData,
    st.dictionaries(NAMES, st.sampled_from([b"sk-one\n", b"sk-two", b"", b"\xff"]), min_size=1),
    st.sampled_from([True, True, False]),
)


def objects(kind: str, specs: Any) -> st.SearchStrategy[list[dict[str, Any]]]:
    each = st.builds(
        lambda name, ns, spec: document(kind, name, ns, **spec), NAMES, NAMESPACES, specs
    )
    return st.lists(
        each,
        min_size=2,
        max_size=4,
        unique_by=lambda o: (o["metadata"]["name"], o["metadata"]["namespace"]),
    )


def _snapshot(
    documents: list[list[dict[str, Any]]],
    secrets: dict[tuple[str, str], SecretData],
    namespaces: dict[str, dict[str, str]],
    pods: list[PodLabels],
    scope_keys: dict[str, str],
) -> Snapshot:
    parsed = snapshot_of(
        [each for kind in documents for each in kind],
        cluster="test",
        loopback_allowed=False,
        redis=RedisSettings(url="redis://redis:6379"),
        scope_keys=scope_keys,
    )
    return Snapshot(
        cluster=parsed.cluster,
        providers=parsed.providers,
        tiers=parsed.tiers,
        policies=parsed.policies,
        budgets=parsed.budgets,
        secrets=secrets,
        namespaces=namespaces,
        pods=tuple(pods),
        redis=parsed.redis,
        scope_keys=scope_keys,
        unparsable=parsed.unparsable,
    )


SNAPSHOTS: st.SearchStrategy[Snapshot] = st.builds(
    _snapshot,
    st.tuples(
        objects("LLMProvider", PROVIDERS),
        objects("ModelTier", TIERS),
        objects("RoutePolicy", POLICIES),
        objects("Budget", BUDGETS),
    ).map(list),
    st.dictionaries(st.tuples(NAMESPACES, NAMES), SECRETS, min_size=2, max_size=4),
    st.dictionaries(NAMESPACES, LABELS),
    st.lists(st.builds(PodLabels, NAMESPACES, st.uuids().map(str), LABELS), max_size=6),
    st.sampled_from([{"one": "s", "two": "s"}, {"one": "s", "two": "s"}, {"one": "s"}]),
)
