"""How the kubelet learns that a replica has begun, is ready, lives, and may end."""

from typing import Final

from penstock_operator.ollama.models_file import ModelsFile
from penstock_operator.ollama.names import LOADER_PORT, OLLAMA_PORT
from penstock_operator.ollama.workload.installation import Document

PULL_SECONDS: Final = int(ModelsFile.model_fields["pull_timeout_seconds"].default)
LOAD_SECONDS: Final = 3600
"""For making and loading models, once they are on the disk."""
START_PERIOD_SECONDS: Final = 5
START_SECONDS: Final = PULL_SECONDS + LOAD_SECONDS
OLLAMA_START_SECONDS: Final = 300
"""It looks for GPUs before it listens."""
MOST_PROBE_SECONDS: Final = 5
DRAIN_MARGIN_SECONDS: Final = 30


HUNG_SECONDS: Final = 20
"""What a container gets to end that does not live: nobody is answered by it."""


def before_the_end() -> Document:
    """Ollama cuts its answers when it is told to end, so it is told once they have ended. The
    loader knows, and stays as long."""
    return {"preStop": {"httpGet": {"path": "/drain", "port": LOADER_PORT, "scheme": "HTTP"}}}


def ollama_probes(*, own_grace: bool) -> Document:
    """Ready when the loader says so: Ollama's own `GET /` is true without any model."""
    return {
        "startupProbe": _probe(OLLAMA_PORT, "/api/version", 2, OLLAMA_START_SECONDS // 2),
        "readinessProbe": _probe(LOADER_PORT, "/readyz", 2, 2),
        "livenessProbe": _liveness(OLLAMA_PORT, "/api/version", own_grace=own_grace),
    }


def loader_probes(*, own_grace: bool) -> Document:
    """It has begun when all is pulled and loaded. After the bound it is begun again, and goes on
    with what is on the disk; Ollama is not."""
    failures = START_SECONDS // START_PERIOD_SECONDS
    return {
        "startupProbe": _probe(LOADER_PORT, "/readyz", START_PERIOD_SECONDS, failures),
        "readinessProbe": _probe(LOADER_PORT, "/readyz", 2, 2),
        "livenessProbe": _liveness(LOADER_PORT, "/healthz", own_grace=own_grace),
    }


def _liveness(port: int, path: str, *, own_grace: bool) -> Document:
    """Of a server before 1.25 a grace of the probe's own is dropped (ProbeTerminationGracePeriod,
    KEP-2238): said all the same, it would be missed for ever."""
    grace = {"terminationGracePeriodSeconds": HUNG_SECONDS} if own_grace else {}
    return {**_probe(port, path, 10, 6), **grace}


def _probe(port: int, path: str, period_seconds: int, failures: int) -> Document:
    return {
        "httpGet": {"path": path, "port": port, "scheme": "HTTP"},
        "periodSeconds": period_seconds,
        "timeoutSeconds": min(period_seconds, MOST_PROBE_SECONDS),
        "failureThreshold": failures,
    }
