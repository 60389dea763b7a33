"""An Ollama without models: its API over HTTP, its files on disk, its memory and its queue.

Shapes and words: docs/api.md, server/routes.go, images.go and sched.go of ollama/ollama (August
2026). Chats and completions are the stub's. No weights are kept: sizes are numbers.
`python -m tests.fakes.ollama` serves one that its environment scripts.
"""

from tests.fakes.ollama.script import Script
from tests.fakes.ollama.server import FakeOllama

__all__ = ["FakeOllama", "Script"]
