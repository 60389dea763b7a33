"""The provider: nginx with one static answer, so that it is never the bottleneck."""

import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from bench.process import Server, free_port, running

ANSWER = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "bench-model",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "The sluice is open."},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 14, "completion_tokens": 5, "total_tokens": 19},
    }
)

CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ default_type application/json; return 200 '{answer}'; }}
  }}
}}
"""


@contextlib.asynccontextmanager
async def static_upstream(folder: Path, core: int | None) -> AsyncIterator[Server]:
    """nginx answering every request with `ANSWER`."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if nginx is None:
        msg = "nginx is missing: install it (Debian: apt-get install nginx-light)"
        raise RuntimeError(msg)
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, answer=ANSWER), "utf-8")
    async with running([nginx, "-c", str(config)], port, core=core) as server:
        yield server
