"""The control plane's figures, in a registry of their own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

RECONCILE_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Those of the operator itself begin with `penstock_operator_` and name no object; those of
    budgets have a label for each Budget, of which there are as many as people write."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.leader = Gauge(
            "penstock_operator_leader", "1 while this replica is active.", registry=self.registry
        )
        self.reconciles = Counter(
            "penstock_operator_reconciles",
            "Compilations of everything, by how they ended: ok, partial, failed.",
            ["result"],
            registry=self.registry,
        )
        self.reconcile_seconds = Histogram(
            "penstock_operator_reconcile_seconds",
            "From gathering to the last write.",
            buckets=RECONCILE_SECONDS,
            registry=self.registry,
        )
        self.last_success = Gauge(
            "penstock_operator_last_success_timestamp_seconds",
            "When everything was last compiled and written.",
            registry=self.registry,
        )
        self.objects = Gauge(
            "penstock_operator_objects", "Custom resources seen.", ["kind"], registry=self.registry
        )
        self.problems = Gauge(
            "penstock_operator_problems",
            "Problems of custom resources.",
            ["reason", "severity"],
            registry=self.registry,
        )
        self.writes = Counter(
            "penstock_operator_writes",
            "Writes to the API server, by what and how they ended: ok, failed.",
            ["what", "result"],
            registry=self.registry,
        )
        self.kept_namespaces = Gauge(
            "penstock_operator_kept_namespaces",
            "Namespaces that keep their last configuration because compiling failed: our fault.",
            registry=self.registry,
        )
        self.admissions = Counter(
            "penstock_operator_admissions",
            "Objects judged, by path and how it ended: allowed, warned, denied, failed.",
            ["path", "result"],
            registry=self.registry,
        )
        self.certificate_expiry = Gauge(
            "penstock_operator_certificate_expiry_timestamp_seconds",
            "When the injector's certificate expires, and the CA that signs: leaf, ca.",
            ["certificate"],
            registry=self.registry,
        )
        self.announcements = Counter(
            "penstock_operator_announcements",
            "Events on pods' owners, by how it ended: ok, failed, dropped.",
            ["result"],
            registry=self.registry,
        )
        self.injections = Counter(
            "penstock_operator_injections",
            "Pods asked about, by how it ended (injected, completed, unchanged, refused, skipped, "
            "failed) and why.",
            ["result", "reason"],
            registry=self.registry,
        )
        self.budget_alerts = Counter(
            "penstock_budget_alerts",
            "Alert thresholds that were crossed, each once in a period.",
            ["namespace", "budget", "period", "percent"],
            registry=self.registry,
        )
        self.budget_utilisation = Gauge(
            "penstock_budget_utilisation_ratio",
            "Spent, reserved and unsettled, of the limit of the running period.",
            ["namespace", "budget", "period"],
            registry=self.registry,
        )
        self.ledger_rounds = Counter(
            "penstock_operator_ledger_rounds",
            "Readings of all budgets' spending, by how they ended: ok, failed.",
            ["result"],
            registry=self.registry,
        )
        self.ledger_seconds = Histogram(
            "penstock_operator_ledger_seconds",
            "Reading all budgets' spending and writing what changed.",
            buckets=RECONCILE_SECONDS,
            registry=self.registry,
        )
        self.notifications = Counter(
            "penstock_operator_notifications",
            "Calls of budgets' webhooks, by how they ended: ok, failed, given_up.",
            ["result"],
            registry=self.registry,
        )

        self.probes = Counter(
            "penstock_provider_probes",
            "Probes of providers, by how they ended: ok, failed, rejected (the key is not known).",
            ["provider", "result"],
            registry=self.registry,
        )
        self.provider_healthy = Gauge(
            "penstock_provider_healthy",
            "1 where the condition Healthy is True, 0 where it is False; Unknown has no series.",
            ["provider"],
            registry=self.registry,
        )
        self.breakers = Gauge(
            "penstock_breaker_state",
            "Models that fail, as all sidecars know it: 0 closed, 1 half-open, 2 open; without a"
            " model the provider itself.",
            ["provider", "model", "endpoint"],
            registry=self.registry,
        )
        self.breaker_transitions = Counter(
            "penstock_breaker_transitions",
            "Changes of a breaker that the operator saw, by what it came to.",
            ["provider", "model", "endpoint", "to"],
            registry=self.registry,
        )
        self.sidecars = Gauge(
            "penstock_operator_sidecars",
            "Pods that a RoutePolicy rules, by what they run: current, stale, rejected, unknown.",
            ["standing"],
            registry=self.registry,
        )
        self.untold_pods = Gauge(
            "penstock_operator_untold_pods",
            "Pods whose kubelet is still to be told that their configuration changed.",
            registry=self.registry,
        )
        self.pods_without_sidecar = Gauge(
            "penstock_operator_pods_without_sidecar",
            "Pods that ask for a sidecar and have none.",
            ["namespace"],
            registry=self.registry,
        )
        self.shared_redis_logins = Gauge(
            "penstock_operator_shared_redis_logins",
            "Namespaces whose sidecars are given a Redis login that is not theirs alone.",
            registry=self.registry,
        )
        self.warming_prompts = Counter(
            "penstock_operator_warming_prompts",
            "Prompts that were queued for sidecars to ask ahead of time.",
            ["namespace", "policy"],
            registry=self.registry,
        )
        self.warming_rounds = Counter(
            "penstock_operator_warming_rounds",
            "Tries to queue prompts that were due, by how they ended: ok, failed.",
            ["result"],
            registry=self.registry,
        )
        self._add_fleet()
        self.redis_user_rounds = Counter(
            "penstock_operator_redis_user_rounds",
            "Times that Redis users were set, by how it ended: ok, partial, failed.",
            ["result"],
            registry=self.registry,
        )

    def _add_fleet(self) -> None:
        """Of managed providers."""
        self.fleet_rounds = Counter(
            "penstock_operator_fleet_rounds",
            "Looks at what managed providers run, by how they ended: ok, partial (Redis or a part"
            " of the API server was away), failed.",
            ["result"],
            registry=self.registry,
        )
        self.fleet_seconds = Histogram(
            "penstock_operator_fleet_seconds",
            "From gathering to the last write of a look at what managed providers run.",
            buckets=RECONCILE_SECONDS,
            registry=self.registry,
        )
        self.fleet_replicas = Gauge(
            "penstock_fleet_replicas",
            "Replicas of a managed provider: wanted, ready, unplaced.",
            ["provider", "what"],
            registry=self.registry,
        )
        self.fleet_memory = Gauge(
            "penstock_fleet_gpu_memory_bytes",
            "GPU memory of a node that models may be placed on: total, planned, foreign (held by"
            " processes that are none of ours).",
            ["node", "what"],
            registry=self.registry,
        )

    def exposition(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)
