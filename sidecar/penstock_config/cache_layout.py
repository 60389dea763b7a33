"""What of the cache lies where in Redis: what sidecars, the embedder and the operator agree on.

    <cluster>:c:<namespace>:2:<policy>:{<scope>}:a:<target>:<request>   STRING: a sealed answer
    <cluster>:c:<namespace>:2:<policy>:{<scope>}:f:<target>:<request>   HASH: who asks for it now
    <cluster>:c:<namespace>:2:<policy>:{<scope>}:i                      ZSET: answers -> expiry, ms
    <cluster>:c:<namespace>:2:<policy>:{<scope>}:p                      ZSET: answers -> how often
    <cluster>:c:<namespace>:2:<policy>:{<scope>}:v                      SET: partitions with vectors
    <cluster>:c:<namespace>:2:<policy>:{<scope>}:v:<partition>          HASH: answer -> its vector
    <cluster>:c:<namespace>:2:<policy>:{<scope>}:t:<target>:<request>   HASH: right, wrong, least
    <cluster>:c:<namespace>:2:<policy>:{<scope>}:t:<partition>          HASH: right, wrong
    <cluster>:c:<namespace>:2:<policy>:w                                STREAM: prompts to warm
    <cluster>:c:<namespace>:2:v                                         STREAM: news of vectors

All of a scope lies in one slot, so that a script may touch it. An answer's name is
`<target>:<request>`. `<scope>`, `<target>`, `<request>` and `<partition>` are hashes under the
namespace's key: nobody else can tell what was asked, nor name what another scope asks.
"""

from dataclasses import dataclass
from typing import Final

from penstock_config.acl import cache_tag

CACHE_LAYOUT: Final = "2"
"""Of keys and entries; another one never meets this one's."""


@dataclass(frozen=True, slots=True)
class Shelves:
    """Where the answers of one scope lie."""

    prefix: str
    """Up to and with the colon after the scope."""

    @classmethod
    def of(cls, cluster: str, namespace: str, policy: str, scope: str) -> "Shelves":
        """`policy` is its name, without the namespace."""
        place = f"{cache_tag(cluster, namespace)}:{CACHE_LAYOUT}:{policy}"
        return cls(f"{place}:{{{scope}}}:")

    def answer(self, name: str) -> str:
        return f"{self.prefix}a:{name}"

    def flight(self, name: str) -> str:
        return f"{self.prefix}f:{name}"

    @property
    def index(self) -> str:
        return f"{self.prefix}i"

    @property
    def popular(self) -> str:
        return f"{self.prefix}p"

    @property
    def partitions(self) -> str:
        return f"{self.prefix}v"

    def vectors(self, partition: str) -> str:
        return f"{self.prefix}v:{partition}"

    def trust(self, name: str) -> str:
        """How an answer, or all of a partition, did in the place of others."""
        return f"{self.prefix}t:{name}"


PROMPT: Final = "prompt"
"""Field of a prompt to warm: the text of one user turn, to be asked of the model `auto`."""
REQUEST: Final = "request"
"""Field in its place: a whole chat request of OpenAI's, as JSON."""
MAX_WARMING: Final = 1000
"""Prompts that wait in a policy's stream; the oldest go first."""
WARMING_MS: Final = 86_400_000
"""Life of a policy's stream after the operator added to it. Its consumer groups go with it."""


def warming(cluster: str, namespace: str, policy: str) -> str:
    """The stream of prompts that the operator wants to be asked, each by one sidecar.

    An entry has `PROMPT` or `REQUEST`; it was added when its id says, by Redis's clock.
    """
    return f"{cache_tag(cluster, namespace)}:{CACHE_LAYOUT}:{policy}:w"


def vector_news(cluster: str, namespace: str) -> str:
    """The stream by which embedders hear of each other's vectors."""
    return f"{cache_tag(cluster, namespace)}:{CACHE_LAYOUT}:v"
