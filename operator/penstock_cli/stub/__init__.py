"""A provider that does as it is told: for the demo and for tests of whatever talks to providers.

A real HTTP server on a port of its own that speaks OpenAI's and Ollama's dialects byte for byte.
Knows nothing of the planes.
"""

from penstock_cli.stub.behaviour import (
    EMPTY,
    Behaviour,
    Broken,
    Ok,
    Pause,
    Raw,
    Status,
    Tokens,
    ToolCall,
)
from penstock_cli.stub.provider import StubProvider
from penstock_cli.stub.record import Bill, Seen

__all__ = [
    "EMPTY",
    "Behaviour",
    "Bill",
    "Broken",
    "Ok",
    "Pause",
    "Raw",
    "Seen",
    "Status",
    "StubProvider",
    "Tokens",
    "ToolCall",
]
