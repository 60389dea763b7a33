"""A managed provider's replicas and what is asked of them, told through Redis.

    Group.of_namespace(...).fleet(id)  STRING  `Fleet`: by the active operator every
                                               `FLEET_SECONDS`, for each namespace that uses the
                                               provider; gone `FLEET_EXPIRY_SECONDS` after it fell
                                               silent. A namespace's login may write to its own
                                               alone: none can lead others' prompts elsewhere
    Group.of_provider(...).demand      HASH    sidecar process -> `Demand`: by each sidecar when it
                                               changes, but not more often than `DEMAND_SECONDS`,
                                               and each `DEMAND_SECONDS` while it is not zero

Nothing here decides what a caller may have; it is about where an answer comes from sooner. Without
Redis sidecars use the provider's Service, `base_url`. Fields never change their meaning; new ones
may come, and readers skip those they do not know.
"""

from collections.abc import Mapping
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

FLEET_SECONDS: Final = 2.0
FLEET_EXPIRY_SECONDS: Final = 15
DEMAND_SECONDS: Final = 1.0
DEMAND_STALE_SECONDS: Final = 15.0
"""A process that said nothing for longer is gone, and asks nothing."""
MAX_BYTES: Final = 256 * 1024
Text = Annotated[str, StringConstraints(max_length=600)]
T = TypeVar("T", bound=BaseModel)


class _Told(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, allow_inf_nan=False
    )


class Replica(_Told):
    """One pod of a managed provider."""

    name: Text
    address: Text
    """Such as `http://10.0.0.7:11434`."""
    ready: bool
    models: tuple[Text, ...] = ()
    """What it can answer with, by Ollama's names: on its disk."""
    loaded: tuple[Text, ...] = ()
    """Of these, what is in memory now."""
    in_flight: int = Field(0, ge=0)
    """Requests that all sidecars together have there, as they said last (`Demand.at_replicas`)."""


class Fleet(_Told):
    """All replicas of a managed provider."""

    at: float
    """When it was written, Unix time."""
    replicas: tuple[Replica, ...] = ()
    wanted: int = Field(0, ge=0)
    """How many the operator means to have, ready or not."""
    message: Text = ""
    """What is being done while fewer are ready than wanted: `pulling llama3.1:8b, 43 %`."""


class Demand(_Told):
    """What one sidecar asks of a managed provider."""

    at: float
    """When it was written, Unix time."""
    in_flight: Mapping[Text, int] = {}
    """By model: requests that a replica works on."""
    waiting: Mapping[Text, int] = {}
    """By model: requests that wait for a replica to be there, or to have room."""
    at_replicas: Mapping[Text, int] = {}
    """By a replica's name: requests that it works on, of all models."""


def decode_fleet(data: bytes) -> Fleet | None:
    """`None` for anything else."""
    return _decoded(Fleet, data)


def decode_demand(data: bytes) -> Demand | None:
    """`None` for anything else: whoever has a sidecar's Redis login may write what he likes."""
    return _decoded(Demand, data)


def _decoded(kind: type[T], data: bytes) -> T | None:
    if len(data) > MAX_BYTES:
        return None
    try:
        return kind.model_validate_json(data)
    except ValidationError:
        return None
