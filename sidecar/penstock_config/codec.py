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
MAX_VERSION_SHOWN = 10_000
"""A larger one is no version, and might be anything."""


class ConfigError(ValueError):
    """A file cannot be used; the last good one stays."""


def config_file_name(version: int = SCHEMA_VERSION) -> str:
    return f"config.v{version}.json"


def credentials_file_name(version: int = CREDENTIALS_VERSION) -> str:
    return f"credentials.v{version}.json"


def encode(value: SidecarConfig | Credentials, version: int | None = None) -> bytes:
    """Canonical JSON: sorted keys, no defaults, secrets in clear (only `Credentials` has any).

    `version` is another than the value's own where `older` has made it fit that one.
    """
    document = value.model_dump(mode="python", exclude_defaults=True)
    document["schema_version"] = version or value.schema_version
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_reveal
    ).encode()


def digest(data: bytes) -> str:
    """The name of a configuration in annotations and status: 16 hex digits of SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]


def decode_config(data: bytes, version: int = SCHEMA_VERSION) -> SidecarConfig:
    """Of a `version` before the present one: `older` checks that it says no more than that can."""
    return _decode(SidecarConfig, data, version)


def decode_credentials(data: bytes, version: int = CREDENTIALS_VERSION) -> Credentials:
    """As `decode_config`."""
    return _decode(Credentials, data, version)


def _decode(model: type[T], data: bytes, version: int) -> T:
    document = _parsed(data)
    fields = document if isinstance(document, dict) else {}
    found = fields.get("schema_version")
    if type(found) is not int or found != version:
        said = found if type(found) is int and 0 <= found <= MAX_VERSION_SHOWN else "not a version"
        msg = f"schema_version is {said}, this sidecar reads {version}: upgrade the older side"
        raise ConfigError(msg)
    try:
        present = model.model_fields["schema_version"].default
        return model.model_validate({**fields, "schema_version": present})
    except ValidationError as error:
        raise ConfigError(_without_values(error)) from None


def _parsed(data: bytes) -> object:
    try:
        return json.loads(data, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:  # RecursionError: brackets without end
        cause = "a field twice" if isinstance(error, _Twice) else error.__class__.__name__
        msg = f"not JSON (cut off?): {cause} in {len(data)} bytes"
        raise ConfigError(msg) from None


class _Twice(ValueError):
    """Of two values for one field nobody knows which was meant."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found


def _without_values(error: ValidationError) -> str:
    """Where and what, without pydantic's `input_value`."""
    problems = [
        f"{_path(e['loc'])}: {e['msg']}"
        for e in error.errors(include_input=False, include_url=False)
    ]
    more = len(problems) - MAX_PROBLEMS_SHOWN
    return "; ".join(problems[:MAX_PROBLEMS_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _path(location: tuple[int | str, ...]) -> str:
    """Only names of ours are shown: an unknown field's, or a mapping's key, is a value too."""
    ours = {name for type_ in ConfigModel.__subclasses__() for name in type_.model_fields}
    steps = (str(step) if isinstance(step, int) or step in ours else "*" for step in location)
    return ".".join(steps) or "document"


def _reveal(value: Any) -> Any:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case BaseModel():
            return value.model_dump(exclude_defaults=True)
        case _:
            msg = f"{type(value).__name__} cannot be encoded"
            raise TypeError(msg)
