"""Configuration to canonical bytes and back; a digest names the bytes.

A file that is not a configuration of this version is a `ConfigError` whose text says what to
change. The text never holds a value of the file, which might be a secret.
"""

import hashlib
import json
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from penstock_config.base import ConfigModel
from penstock_config.credentials import CREDENTIALS_VERSION, Credentials
from penstock_config.schema import SCHEMA_VERSION, SidecarConfig

T = TypeVar("T", bound=ConfigModel)
MAX_PROBLEMS_SHOWN = 5


class ConfigError(ValueError):
    """A file cannot be used; the last good one stays."""


def config_file_name(version: int = SCHEMA_VERSION) -> str:
    return f"config.v{version}.json"


def credentials_file_name(version: int = CREDENTIALS_VERSION) -> str:
    return f"credentials.v{version}.json"


def encode(value: SidecarConfig | Credentials) -> bytes:
    """Canonical JSON: sorted keys, no defaults, secrets in clear (only `Credentials` has any)."""
    document = value.model_dump(mode="python", exclude_defaults=True)
    document["schema_version"] = value.schema_version
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_reveal
    ).encode()


def digest(data: bytes) -> str:
    """The name of a configuration in annotations and status: 16 hex digits of SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]


def decode_config(data: bytes) -> SidecarConfig:
    return _decode(SidecarConfig, data, SCHEMA_VERSION)


def decode_credentials(data: bytes) -> Credentials:
    return _decode(Credentials, data, CREDENTIALS_VERSION)


def _decode(model: type[T], data: bytes, version: int) -> T:
    try:
        document = json.loads(data)
    except ValueError as error:
        msg = f"not JSON (cut off?): {error.__class__.__name__} in {len(data)} bytes"
        raise ConfigError(msg) from None
    found = document.get("schema_version") if isinstance(document, dict) else None
    if found != version:
        msg = f"schema_version is {found!r}, this sidecar reads {version}: upgrade the older side"
        raise ConfigError(msg)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise ConfigError(_without_values(error)) from None


def _without_values(error: ValidationError) -> str:
    """Where and what, without pydantic's `input_value`."""
    problems = [
        f"{'.'.join(map(str, e['loc'])) or 'document'}: {e['msg']}"
        for e in error.errors(include_input=False, include_url=False)
    ]
    more = len(problems) - MAX_PROBLEMS_SHOWN
    return "; ".join(problems[:MAX_PROBLEMS_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _reveal(value: Any) -> Any:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case BaseModel():
            return value.model_dump(exclude_defaults=True)
        case _:
            msg = f"{type(value).__name__} cannot be encoded"
            raise TypeError(msg)
