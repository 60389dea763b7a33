"""The peer: LiteLLM's proxy from PyPI, in an environment of its own, nothing switched on."""

import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from bench.process import Server, free_port, running

ENVIRONMENT = Path(__file__).parent.parent / ".venvs" / "litellm"
REQUIREMENT = "litellm[proxy]==1.106.2"

CONFIG = """
model_list:
  - model_name: bench-model
    litellm_params:
      model: openai/bench-model
      api_base: http://127.0.0.1:{port}/v1
      api_key: none
router_settings: {{num_retries: 0}}
litellm_settings: {{callbacks: [], telemetry: false}}
general_settings: {{master_key: {key}}}
"""
OFFLINE = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "LITELLM_LOG": "ERROR",
    "DISABLE_ADMIN_UI": "True",
    "NO_PROXY": "*",
}


@dataclass(frozen=True, slots=True)
class Peer:
    server: Server
    key: str


def install() -> Path:
    """LiteLLM's executable; installs it when it is not there yet (0.7 GB)."""
    executable = ENVIRONMENT / "bin" / "litellm"
    if not executable.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "-q", REQUIREMENT]
        subprocess.run(pip, check=True)
    return executable


@contextlib.asynccontextmanager
async def litellm(folder: Path, upstream: Server, core: int | None) -> AsyncIterator[Peer]:
    """LiteLLM's proxy before `upstream`, with one worker."""
    port, key = free_port(), f"sk-{secrets.token_urlsafe(32)}"
    config = folder / "litellm.yaml"
    config.write_text(CONFIG.format(port=upstream.port, key=key), "utf-8")
    command = [
        str(install()), "--config", str(config), "--host", "127.0.0.1", "--port", str(port),
        "--num_workers", "1",
    ]  # fmt: skip
    async with running(command, port, core=core, env={**os.environ, **OFFLINE}) as server:
        yield Peer(server, key)
