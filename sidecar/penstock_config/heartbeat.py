"""What a sidecar says of itself in Redis, for `status.sidecars` and for nothing that decides.

A string under `Group.pod(uid)`, written anew every few seconds and gone soon after its writer. No
secret and no prompt is in it. Fields never change their meaning; new ones may come, and a reader
skips those that it does not know, so that operator and sidecars may be of different versions.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

BEAT_SECONDS: Final = 5.0
EXPIRY_SECONDS: Final = 15
"""Two beats may be lost."""
MAX_ERROR_CHARACTERS: Final = 300
MAX_BYTES: Final = 4096
"""Far more than any sidecar writes: what is longer is not a heartbeat."""
Text = Annotated[str, StringConstraints(max_length=600)]


class Heartbeat(BaseModel):
    """One sidecar, a moment ago."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, allow_inf_nan=False
    )

    config: Text
    """Digest of the configuration file at work; see `codec.digest`."""
    credentials: Text
    """Digest of the credentials file at work."""
    version: Text
    schema_version: int = Field(alias="schema")
    """The newest schema of the configuration that it reads."""
    error: Text = ""
    """What keeps newer files from being at work; empty when nothing does."""
    policy: Text | None = None
    """`<namespace>/<name>` of the RoutePolicy that rules it."""
    at: float
    """When it was written, Unix time by the writer's clock."""


def encode_heartbeat(heartbeat: Heartbeat) -> bytes:
    """JSON; an error that is too long is cut."""
    error = heartbeat.error
    if len(error) > MAX_ERROR_CHARACTERS:
        error = error[: MAX_ERROR_CHARACTERS - 1] + "…"
    return heartbeat.model_copy(update={"error": error}).model_dump_json(by_alias=True).encode()


def decode_heartbeat(data: bytes) -> Heartbeat | None:
    """`None` for anything else: whoever has the namespace's Redis login may write what he likes."""
    if len(data) > MAX_BYTES:
        return None
    try:
        return Heartbeat.model_validate_json(data)
    except ValidationError:
        return None
